//! Weighted sum of clients: the arithmetic of FedAvg (McMahan et al., 2017) on f32.
//!
//! ```text
//! out[i] = (accumulate ? out[i] : 0) + w0 x0[i] + w1 x1[i] + ...
//! ```
//! Departures from that loop:
//! 1. Clients in groups of five, so that the output is loaded and stored once for five of them.
//!    More would not fit into the registers.
//! 2. Block by block of the output, so that the next group finds it in the L2 cache.
//! 3. The first group stores without loading: nothing has to be zeroed, and a thirtieth of the time is
//!    saved.
//!
//! The additions to one element keep the clients' order, so a plain loop gives the same bits.

use super::{OUT_BLOCK, client};
use crate::simd::F32x4;

/// `bucket` has a client's vector at every `stride` elements, `out.len()` long and a whole number
/// of fours; the clients are the first `weights.len()`.
pub fn weighted_sum(bucket: &[f32], stride: usize, weights: &[f32], out: &mut [f32], accumulate: bool) {
    if weights.is_empty() && !accumulate {
        out.fill(0.0);
    }
    let mut start = 0;
    for block in out.chunks_mut(OUT_BLOCK) {
        let range = start..start + block.len();
        let rows = |index: usize| -> &[f32] { &client(bucket, index, stride)[range.clone()] };
        let mut fresh = !accumulate;
        let mut index = 0;
        let (groups, rest) = weights.as_chunks::<5>();
        for group in groups {
            add([0, 1, 2, 3, 4].map(|k| rows(index + k)), *group, block, fresh);
            fresh = false;
            index += 5;
        }
        for &weight in rest {
            add([rows(index)], [weight], block, fresh);
            fresh = false;
            index += 1;
        }
        start += block.len();
    }
}

#[inline(always)]
fn add<const CLIENTS: usize>(rows: [&[f32]; CLIENTS], weights: [f32; CLIENTS], out: &mut [f32], fresh: bool) {
    let weights = weights.map(F32x4::splat);
    let rows = rows.map(|row| row.as_chunks::<4>().0);
    let out = out.as_chunks_mut::<4>().0;
    for row in rows {
        assert!(row.len() == out.len());
    }
    for i in 0..out.len() {
        let mut sum = if fresh { F32x4::splat(0.0) } else { F32x4::load(&out[i]) };
        for k in 0..CLIENTS {
            sum = sum + F32x4::load(&rows[k][i]) * weights[k];
        }
        sum.store(&mut out[i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    #[test]
    fn agrees_with_a_plain_loop_to_the_bit() {
        let mut random = Samples::new(21);
        for length in [0, 4, 8, 1004, OUT_BLOCK, OUT_BLOCK + 4, 3 * OUT_BLOCK - 4] {
            for clients in [0, 1, 3, 4, 5, 6, 10, 11] {
                let stride = length + 12;
                let bucket: Vec<f32> = random.units(clients * stride).iter().map(|x| x - 0.5).collect();
                let weights = random.units(clients);
                for accumulate in [false, true] {
                    let mut out = vec![if accumulate { 0.25 } else { f32::NAN }; length];
                    weighted_sum(&bucket, stride, &weights, &mut out, accumulate);
                    for (i, &got) in out.iter().enumerate() {
                        let start = if accumulate { 0.25 } else { 0.0 };
                        let naive = (0..clients).fold(start, |sum, k| sum + bucket[k * stride + i] * weights[k]);
                        assert_eq!(got.to_bits(), naive.to_bits(), "{clients} clients, element {i} of {length}");
                    }
                }
            }
        }
    }
}
