//! Sums of many long vectors: federated averaging, and what makes it robust.
//!
//! Every vector in kernel memory is padded with zeros to whole blocks, so no loop has a tail.

pub mod checksum;
pub mod f16_sum;
pub mod f32_sum;
pub mod f64_sum;
pub mod int8_sum;
pub mod sorted_mean;
pub mod sparse_sum;
pub mod squares;

/// Floats of the output that stay in the L2 cache while every client is added to them.
const OUT_BLOCK: usize = 16384;

/// A client's vector in a bucket of vectors that follow each other at `stride` elements.
#[inline(always)]
fn client<T>(bucket: &[T], index: usize, stride: usize) -> &[T] {
    &bucket[index * stride..(index + 1) * stride]
}
