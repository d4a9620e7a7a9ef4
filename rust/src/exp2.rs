//! A four-lane power of two for the softmax.
//!
//! ```text
//! x = n + f, n the nearest integer, |f| <= 1/2
//! 2^x = 2^n * (1 + f * polynomial(f))           degree 5 in f, minimax error 9.3e-8
//! ```
//! Adding 1.5 * 2^23 leaves n in the low bits of the float, ready to become an exponent: no
//! float-to-integer conversion, which is slow on x64.

use core::f32::consts::LN_2;

use crate::simd::{F32x4, U32x4};

const ROUND: f32 = 12_582_912.0;
const P: [f32; 5] = [LN_2, 0.240_222_35, 0.055_503_08, 0.009_671_875, 0.001_340_725_8];

/// 2^x of four lanes, relative error <= 2.5e-7 in -126..126; clamped to that range.
#[inline(always)]
pub fn exp2(x: F32x4) -> F32x4 {
    let x = F32x4::splat(-126.0).greater(x).lesser(F32x4::splat(126.0));
    let rounded = x + F32x4::splat(ROUND);
    let f = x - (rounded - F32x4::splat(ROUND));
    let [p0, p1, p2, p3, p4] = P.map(F32x4::splat);
    let fraction = F32x4::splat(1.0) + f * (p0 + f * (p1 + f * (p2 + f * (p3 + f * p4))));
    let power = (rounded.bits() << 23) + U32x4::splat(0x3f80_0000);
    fraction * power.float_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relative_error_is_below_a_quarter_millionth() {
        for step in 0..=252_000 {
            let x = step as f32 / 1000.0 - 126.0;
            let exact = f64::from(x).exp2();
            let got = f64::from(exp2(F32x4::splat(x)).to_array()[0]);
            assert!((got / exact - 1.0).abs() <= 2.5e-7, "2^{x}: {got}, exact {exact}");
        }
    }

    #[test]
    fn integers_are_exact_and_the_range_is_clamped() {
        let exact = |x: f32| exp2(F32x4::splat(x)).to_array()[0];
        assert_eq!([exact(0.0), exact(-3.0), exact(10.0)], [1.0, 0.125, 1024.0]);
        assert_eq!(exact(-1e30), exact(-126.0));
    }
}
