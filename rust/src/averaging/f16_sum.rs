//! Weighted sum of clients that sent half-precision floats.
//!
//! A half becomes a float by moving its bits: sign extended, shifted left by 13 and masked it is the
//! same number divided by 2^112, which goes into the weight. Two departures:
//! 1. Halves below 2^-14 would become subnormal floats, and many processors take a hundred cycles to
//!    multiply one. Whoever knows that there are none (zeros are harmless) says so; else the exponents
//!    are raised by 16 and those of the small halves by one more, which also gives them the leading 1
//!    of a normal number; subtracting that 1 leaves what they are.
//! 2. Infinities and NaN would become large numbers: the caller has refused them (see `squares.rs`).

use super::{OUT_BLOCK, client};
use crate::simd::{F32x4, U32x4};

/// 2^112 and 2^96: what the bits of a half are off by, and after their exponent is raised.
const PLAIN: f32 = f32::from_bits((112 + 127) << 23);
const RAISED: f32 = f32::from_bits((96 + 127) << 23);
const EXPONENT: u32 = 1 << 23;

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
        let (groups, rest) = weights.as_chunks::<5>();
        for group in groups {
            let rows = [0, 1, 2, 3, 4].map(|k| row(index + k));
            match halves {
                Halves::NormalOrZero => add(rows, group.map(|weight| weight * PLAIN), block, keep, plain),
                Halves::Finite => add(rows, group.map(|weight| weight * RAISED), block, keep, raised),
            }
            keep = U32x4::splat(u32::MAX);
            index += 5;
        }
        for &weight in rest {
            add([row(index)], [weight * RAISED], block, keep, raised);
            keep = U32x4::splat(u32::MAX);
            index += 1;
        }
        start += block.len();
    }
}

#[inline(always)]
fn add<const CLIENTS: usize>(
    rows: [&[[u16; 4]]; CLIENTS],
    weights: [f32; CLIENTS],
    out: &mut [f32],
    keep: U32x4,
    decode: impl Fn(U32x4) -> F32x4,
) {
    let weights = weights.map(F32x4::splat);
    let out = out.as_chunks_mut::<4>().0;
    for row in rows {
        assert!(row.len() == out.len());
    }
    for i in 0..out.len() {
        let mut sum = (F32x4::load(&out[i]).bits() & keep).float_bits();
        for k in 0..CLIENTS {
            sum = sum + decode(U32x4::load_signed_halves(&rows[k][i])) * weights[k];
        }
        sum.store(&mut out[i]);
    }
}

/// Sign-extended halves, none of them subnormal, times 2^-112.
#[inline(always)]
fn plain(halves: U32x4) -> F32x4 {
    ((halves << 13) & U32x4::splat(0x8fff_e000)).float_bits()
}

/// Sign-extended halves times 2^-96.
#[inline(always)]
fn raised(halves: U32x4) -> F32x4 {
    let bits = plain(halves).bits();
    let is_small = (halves & U32x4::splat(0x7c00)).equals(U32x4::splat(0));
    let one = ((bits & U32x4::splat(1 << 31)) | U32x4::splat(17 * EXPONENT)) & is_small;
    let lifted = bits + U32x4::splat(16 * EXPONENT) + (is_small & U32x4::splat(EXPONENT));
    lifted.float_bits() - one.float_bits()
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
                            assert_eq!(got, naive, "{clients} clients, element {i} of {length}");
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
