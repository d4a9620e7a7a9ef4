//! Weighted sum of clients that sent int8 with a scale each.
//!
//! ```text
//! out[i] = (accumulate ? out[i] : 0) + unit * sum_k (q_k * x_k[i])         q_k integers, 16 bit
//! ```
//! The caller turns each client's weight times scale into an integer `q_k` and one common `unit`,
//! so that the sum is exact integer arithmetic: clients in pairs, byte by byte beside each other,
//! one multiply-and-add-pairs an eight lanes. A group of ten clients is below 2^31 by far
//! (10 * 2^15 * 2^7); its sum becomes a float once.

use super::{OUT_BLOCK, client};
use crate::simd::{F32x4, U32x4};
use crate::simd_narrow::{I8x16, I16x8};

/// Clients in a group, by pairs; a missing one has the factor 0.
pub const PAIRS: usize = 5;

/// One pair's factors.
pub type Factors = [i16; 2];

/// `bucket` has a client's bytes at every `stride`; client `2 p` and `2 p + 1` have the factors of
/// pair `p`, and a pair's second client may be absent when its factor is 0. `out.len()` is a whole
/// number of sixteens. `units` has one unit for each group of [`PAIRS`] pairs.
pub fn weighted_sum(
    bucket: &[i8],
    stride: usize,
    factors: &[Factors],
    units: &[f32],
    out: &mut [f32],
    accumulate: bool,
) {
    let clients = bucket.len() / stride;
    let mut start = 0;
    for block in out.chunks_mut(OUT_BLOCK) {
        let range = start..start + block.len();
        let row = |index: usize| -> &[i8] { &client(bucket, index.min(clients - 1), stride)[range.clone()] };
        let mut fresh = !accumulate;
        for (group, (factors, &unit)) in factors.chunks(PAIRS).zip(units).enumerate() {
            // A short group repeats its last client, with the factor 0.
            let first = 2 * PAIRS * group;
            if let [pair] = factors {
                add([0, 1].map(|k| row(first + k)), [*pair], unit, block, fresh);
            } else {
                let rows = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|k| row(first + k));
                let factors = [0, 1, 2, 3, 4].map(|p| factors.get(p).copied().unwrap_or([0, 0]));
                add(rows, factors, unit, block, fresh);
            }
            fresh = false;
        }
        start += block.len();
    }
}

/// Eight elements a turn: V8 loads all rows at the start of a turn, and there are only so many
/// registers. A fresh output is not loaded: that alone took two thirds of the time again.
#[inline(always)]
fn add<const CLIENTS: usize, const PAIRS: usize>(
    rows: [&[i8]; CLIENTS],
    factors: [Factors; PAIRS],
    unit: f32,
    out: &mut [f32],
    fresh: bool,
) {
    let rows = rows.map(|row| row.as_chunks::<8>().0);
    let out = out.as_chunks_mut::<8>().0;
    for row in rows {
        assert!(row.len() == out.len());
    }
    let factors = factors.map(|pair| I16x8::splat_pair(&pair));
    let unit = F32x4::splat(unit);
    for i in 0..out.len() {
        let products = |p: usize| {
            let [low, high] = I8x16::load_beside(&rows[2 * p][i], &rows[2 * p + 1][i]).widen();
            [low.dot(factors[p]), high.dot(factors[p])]
        };
        // By hand, because the compiler takes these few instructions for many and keeps a loop.
        let mut sums = products(0);
        if PAIRS == 5 {
            sums = plus(plus(sums, products(1)), plus(plus(products(2), products(3)), products(4)));
        }
        for (out, sum) in out[i].as_chunks_mut::<4>().0.iter_mut().zip(sums) {
            let sum = sum.signed_to_float() * unit;
            let sum = if fresh { sum } else { F32x4::load(out) + sum };
            sum.store(out);
        }
    }
}

#[inline(always)]
fn plus([a, b]: [U32x4; 2], [c, d]: [U32x4; 2]) -> [U32x4; 2] {
    [a + c, b + d]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    #[test]
    fn agrees_with_a_plain_loop_to_the_bit() {
        let mut random = Samples::new(22);
        for length in [0, 16, 48, 1008, OUT_BLOCK + 16] {
            for clients in [1, 2, 3, 9, 10, 11, 20, 23] {
                let stride = length + 64;
                let bucket: Vec<i8> = (0..clients * stride).map(|_| random.next() as i8).collect();
                let mut factors: Vec<Factors> =
                    (0..clients.div_ceil(2)).map(|_| [random.next() as i16, random.next() as i16]).collect();
                if clients % 2 == 1 {
                    factors[clients / 2][1] = 0;
                }
                let units = random.units(factors.len().div_ceil(PAIRS));
                for accumulate in [false, true] {
                    let mut out = vec![if accumulate { 0.25 } else { f32::NAN }; length];
                    weighted_sum(&bucket, stride, &factors, &units, &mut out, accumulate);
                    for (i, &got) in out.iter().enumerate() {
                        let mut naive = if accumulate { 0.25f32 } else { 0.0 };
                        for (group, &unit) in units.iter().enumerate() {
                            let sum: i32 = (10 * group..clients.min(10 * group + 10))
                                .map(|k| i32::from(bucket[k * stride + i]) * i32::from(factors[k / 2][k % 2]))
                                .sum();
                            naive += sum as f32 * unit;
                        }
                        assert_eq!(got.to_bits(), naive.to_bits(), "{clients} clients, element {i} of {length}");
                    }
                }
            }
        }
    }
}
