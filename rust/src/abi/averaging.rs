//! Averaging in the module `vectors`.

use super::{input, output};
use crate::averaging::checksum::{self, STRIPE};
use crate::averaging::f16_sum::Halves;
use crate::averaging::int8_sum::{Factors, PAIRS};
use crate::averaging::sparse_sum::SparseClient;
use crate::averaging::{f16_sum, f32_sum, f64_sum, int8_sum, sorted_mean, sparse_sum, squares};

/// [`f32_sum::weighted_sum`]: `bucket[clients * stride]`, `weights[clients]`, `out[length]`.
#[unsafe(no_mangle)]
pub extern "C" fn f32_sum(
    bucket: *const f32,
    stride: usize,
    weights: *const f32,
    clients: usize,
    out: *mut f32,
    length: usize,
    accumulate: bool,
) {
    // SAFETY: the contract.
    let (bucket, weights, out) =
        unsafe { (input(bucket, clients * stride), input(weights, clients), output(out, length)) };
    f32_sum::weighted_sum(bucket, stride, weights, out, accumulate);
}

/// [`f16_sum::weighted_sum`]: `bucket[clients * stride]`, `weights[clients]`, `out[length]`.
#[unsafe(no_mangle)]
pub extern "C" fn f16_sum(
    bucket: *const u16,
    stride: usize,
    normal_or_zero: bool,
    weights: *const f32,
    clients: usize,
    out: *mut f32,
    length: usize,
    accumulate: bool,
) {
    // SAFETY: the contract.
    let (bucket, weights, out) =
        unsafe { (input(bucket, clients * stride), input(weights, clients), output(out, length)) };
    let halves = if normal_or_zero { Halves::NormalOrZero } else { Halves::Finite };
    f16_sum::weighted_sum(bucket, stride, halves, weights, out, accumulate);
}

/// [`int8_sum::weighted_sum`]: `bucket[clients * stride]`, a pair of factors for two clients, a unit
/// for ten, `out[length]`.
#[unsafe(no_mangle)]
pub extern "C" fn int8_sum(
    bucket: *const i8,
    stride: usize,
    factors: *const Factors,
    units: *const f32,
    clients: usize,
    out: *mut f32,
    length: usize,
    accumulate: bool,
) {
    let pairs = clients.div_ceil(2);
    // SAFETY: the contract.
    unsafe {
        let (factors, units) = (input(factors, pairs), input(units, pairs.div_ceil(PAIRS)));
        int8_sum::weighted_sum(input(bucket, clients * stride), stride, factors, units, output(out, length), accumulate);
    }
}

/// [`sparse_sum::weighted_sum`]: `indices[entries]`, `values[entries]`, `clients[count]`, `out[length]`.
#[unsafe(no_mangle)]
pub extern "C" fn sparse_sum(
    indices: *const u32,
    values: *const f32,
    entries: usize,
    clients: *mut SparseClient,
    count: usize,
    out: *mut f32,
    length: usize,
    accumulate: bool,
) {
    // SAFETY: the contract; any bits are a valid SparseClient.
    unsafe {
        let (indices, values) = (input(indices, entries), input(values, entries));
        sparse_sum::weighted_sum(indices, values, output(clients, count), output(out, length), accumulate);
    }
}

/// [`f64_sum::accumulate`]: `values[length]`, `sums[length]`.
#[unsafe(no_mangle)]
pub extern "C" fn f64_accumulate(values: *const f32, length: usize, weight: f64, sums: *mut f64) {
    // SAFETY: the contract.
    let (values, sums) = unsafe { (input(values, length), output(sums, length)) };
    f64_sum::accumulate(values, weight, sums);
}

/// [`sorted_mean::sorted_mean`]: `bucket[clients * stride]`, `scratch[clients * RUN]`, `network[pairs]`,
/// `out[length]`.
#[unsafe(no_mangle)]
pub extern "C" fn sorted_mean(
    bucket: *const f32,
    stride: usize,
    clients: usize,
    scratch: *mut f32,
    network: *const [u32; 2],
    pairs: usize,
    low: usize,
    high: usize,
    out: *mut f32,
    length: usize,
) {
    // SAFETY: the contract.
    unsafe {
        let (bucket, network) = (input(bucket, clients * stride), input(network, pairs));
        let scratch = output(scratch, clients * sorted_mean::RUN);
        sorted_mean::sorted_mean(bucket, stride, scratch, network, low, high, output(out, length));
    }
}

/// [`squares::of_floats`] of `values[length]`.
#[unsafe(no_mangle)]
pub extern "C" fn f32_squares(values: *const f32, length: usize) -> f64 {
    // SAFETY: the contract.
    squares::of_floats(unsafe { input(values, length) })
}

/// [`squares::of_bytes`] of `values[length]`.
#[unsafe(no_mangle)]
pub extern "C" fn int8_squares(values: *const i8, length: usize) -> f64 {
    // SAFETY: the contract.
    squares::of_bytes(unsafe { input(values, length) })
}

/// [`squares::scan_halves`] of `halves[length]`: 1 when all are finite, and 2 more when none is subnormal.
#[unsafe(no_mangle)]
pub extern "C" fn f16_scan(halves: *const u16, length: usize) -> u32 {
    // SAFETY: the contract.
    let found = squares::scan_halves(unsafe { input(halves, length) });
    u32::from(found.finite) + 2 * u32::from(found.normal_or_zero)
}

/// [`checksum::add`]: `sums[32]`, `stripes[count]`.
#[unsafe(no_mangle)]
pub extern "C" fn checksum(sums: *mut [u32; 32], stripes: *const [u8; STRIPE], count: usize) {
    // SAFETY: the contract.
    let (sums, stripes) = unsafe { (output(sums, 1), input(stripes, count)) };
    checksum::add(&mut sums[0], stripes);
}
