//! Weighted sum of clients that sent half-precision floats.
//!
//! A half becomes a float by moving its bits: sign extended, shifted left by 13 and masked it is the
//! same number divided by 2^112, which goes into the weight. Two departures:
//! 1. Halves below 2^-14 would become subnormal floats, which cost several times as much. Whoever
//!    knows that there are none (zeros are harmless) says so; else each half is taken apart and the
//!    small ones are converted from integers.
//! 2. Infinities and NaN would become large numbers: the caller has refused them (see `squares.rs`).

use super::{OUT_BLOCK, client};
use crate::simd::{F32x4, U32x4};

const SIGN: u32 = 0x8000_0000;
/// 2^112 and 2^-24: what the bits of a normal half and of a subnormal one are off by.
const NORMAL: f32 = f32::from_bits((112 + 127) << 23);
const SUBNORMAL: f32 = f32::from_bits((127 - 24) << 23);

/// Which halves a bucket has.
#[derive(Clone, Copy, PartialEq)]
pub enum Halves {
    /// Any finite ones.
    Finite,
    /// None in 2^-24..2^-14, sign apart.
    NormalOrZero,
}

/// `bucket` has a client's halves at every `stride`; `out.len()` is a whole number of eights; the
/// weights are below 2^15.
pub fn weighted_sum(bucket: &[u16], stride: usize, halves: Halves, weights: &[f32], out: &mut [f32], accumulate: bool) {
    if weights.is_empty() && !accumulate {
        out.fill(0.0);
    }
    let mut start = 0;
    for block in out.chunks_mut(OUT_BLOCK) {
        let range = start..start + block.len();
        let row = |index: usize| client(bucket, index, stride)[range.clone()].as_chunks::<4>().0;
        let mut keep = if accumulate { U32x4::splat(u32::MAX) } else { U32x4::splat(0) };
        let mut index = 0;
        if halves == Halves::NormalOrZero {
            for group in weights.as_chunks::<5>().0 {
                add_normal([0, 1, 2, 3, 4].map(|k| row(index + k)), group, block, keep);
                keep = U32x4::splat(u32::MAX);
                index += 5;
            }
        }
        for &weight in &weights[index..] {
            add_any(row(index), weight, block, keep);
            keep = U32x4::splat(u32::MAX);
            index += 1;
        }
        start += block.len();
    }
}

#[inline(always)]
fn add_normal(rows: [&[[u16; 4]]; 5], weights: &[f32; 5], out: &mut [f32], keep: U32x4) {
    let weights = weights.map(|weight| F32x4::splat(weight * NORMAL));
    let out = out.as_chunks_mut::<4>().0;
    for row in rows {
        assert!(row.len() == out.len());
    }
    for i in 0..out.len() {
        let mut sum = (F32x4::load(&out[i]).bits() & keep).float_bits();
        for k in 0..5 {
            sum = sum + scaled(U32x4::load_signed_halves(&rows[k][i])) * weights[k];
        }
        sum.store(&mut out[i]);
    }
}

/// Sign-extended halves as floats, times 2^-112.
#[inline(always)]
fn scaled(halves: U32x4) -> F32x4 {
    ((halves << 13) & U32x4::splat(0x8fff_e000)).float_bits()
}

#[inline(always)]
fn add_any(row: &[[u16; 4]], weight: f32, out: &mut [f32], keep: U32x4) {
    let normal_weight = F32x4::splat(weight * NORMAL);
    let weight = F32x4::splat(weight);
    for (halves, out) in row.iter().zip(out.as_chunks_mut::<4>().0) {
        let halves = U32x4::load_signed_halves(halves);
        let is_small = (halves & U32x4::splat(0x7c00)).equals(U32x4::splat(0));
        let small = (halves & U32x4::splat(0x3ff)).signed_to_float() * F32x4::splat(SUBNORMAL);
        let small = (small.bits() | (halves & U32x4::splat(SIGN))).float_bits() * weight;
        // The small ones are zeroed before the product: a subnormal factor is what costs.
        let normal = is_small.select(F32x4::splat(0.0), scaled(halves)) * normal_weight;
        let before = (F32x4::load(out).bits() & keep).float_bits();
        (before + is_small.select(small, normal)).store(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    fn decode(half: u16) -> f32 {
        let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
        let (exponent, mantissa) = (i32::from(half >> 10 & 31), f32::from(half & 0x3ff));
        sign * if exponent == 0 { mantissa * 2f32.powi(-24) } else { (1024.0 + mantissa) * 2f32.powi(exponent - 25) }
    }

    #[test]
    fn agrees_with_a_plain_loop_to_the_bit() {
        let mut random = Samples::new(23);
        for length in [0, 8, 24, 504, 520, 1544] {
            for clients in [1, 4, 5, 6, 11] {
                for subnormals in [false, true] {
                    let stride = length + 24;
                    let mut half = || match random.next() as u16 {
                        odd if odd & 0x7c00 == 0x7c00 => 0,
                        small if small & 0x7c00 == 0 && !subnormals => small & 0x8000,
                        any => any,
                    };
                    let bucket: Vec<u16> = (0..clients * stride).map(|_| half()).collect();
                    let weights = Samples::new(7).units(clients);
                    for accumulate in [false, true] {
                        let mut out = vec![if accumulate { 0.25 } else { f32::NAN }; length];
                        let halves = if subnormals { Halves::Finite } else { Halves::NormalOrZero };
                        weighted_sum(&bucket, stride, halves, &weights, &mut out, accumulate);
                        for (i, &got) in out.iter().enumerate() {
                            let start = if accumulate { 0.25 } else { 0.0 };
                            let naive = (0..clients).fold(start, |sum, k| sum + decode(bucket[k * stride + i]) * weights[k]);
                            assert_eq!(got.to_bits(), naive.to_bits(), "{clients} clients, element {i} of {length}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_finite_half_is_exact() {
        let halves: Vec<u16> = (0..=u16::MAX).filter(|half| half & 0x7c00 != 0x7c00).collect();
        let mut out = vec![0.0; halves.len()];
        weighted_sum(&halves, halves.len(), Halves::Finite, &[1.0], &mut out, false);
        assert!(halves.iter().zip(&out).all(|(&half, &got)| got == decode(half)));
    }
}
