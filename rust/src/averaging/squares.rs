//! Sum of squares of an update, which is also the test that all of it is finite.
//!
//! Squares of finite f32 never overflow an f64, so a sum that is not finite had an infinity or a NaN
//! in it: one pass gives both the L2 norm and the verdict.

use crate::simd::F32x4;
use crate::simd_narrow::{F64x2, I8x16, U16x8};

/// Sum of squares in f64; NaN or infinite when an element is. A whole number of eights.
pub fn of_floats(values: &[f32]) -> f64 {
    let mut sums = [F64x2::splat(0.0); 4];
    for run in values.as_chunks::<8>().0 {
        let [a, b] = F32x4::load(run[..4].try_into().expect("four")).widen();
        let [c, d] = F32x4::load(run[4..].try_into().expect("four")).widen();
        for (sum, value) in sums.iter_mut().zip([a, b, c, d]) {
            *sum = sum.plus_product(value, value);
        }
    }
    sums.iter().flat_map(|sum| sum.to_array()).sum()
}

/// What a scan of halves finds; a whole number of eights.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HalvesFound {
    pub finite: bool,
    /// None in 2^-24..2^-14, sign apart: the sum may take the faster way.
    pub normal_or_zero: bool,
}

/// Less 1, zero becomes the largest number of all, and the subnormal ones the least.
pub fn scan_halves(halves: &[u16]) -> HalvesFound {
    let mut largest = U16x8::splat(0);
    let mut least = U16x8::splat(u16::MAX);
    for halves in halves.as_chunks::<8>().0 {
        let size = U16x8::load(halves).and(U16x8::splat(0x7fff));
        largest = largest.greater(size);
        least = least.lesser(size.minus(U16x8::splat(1)));
    }
    HalvesFound {
        finite: largest.to_array().iter().all(|&bits| bits < 0x7c00),
        normal_or_zero: least.to_array().iter().all(|&less_one| less_one >= 0x3ff),
    }
}

/// Sum of squares of bytes; a whole number of sixteens.
pub fn of_bytes(values: &[i8]) -> f64 {
    let mut total = 0.0;
    // 2^31 / (2 * 2^14) additions fit a lane; runs are far shorter.
    for run in values.chunks(16 * 1024) {
        let mut sum = crate::simd::U32x4::splat(0);
        for bytes in run.as_chunks::<16>().0 {
            for half in I8x16::load(bytes).widen() {
                sum = sum + half.dot(half);
            }
        }
        total += sum.to_array().into_iter().map(f64::from).sum::<f64>();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    #[test]
    fn sums_squares_in_f64() {
        let values = Samples::new(25).units(1008);
        let naive: f64 = values.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        assert!((of_floats(&values) - naive).abs() <= 1e-12 * naive);
        assert_eq!(of_floats(&[f32::MAX; 8]), 8.0 * f64::from(f32::MAX) * f64::from(f32::MAX));
        assert_eq!(of_bytes(&[-128; 16 * 3000]), 16384.0 * 16.0 * 3000.0);
    }

    #[test]
    fn an_element_that_is_not_finite_shows() {
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in 0..16 {
                let mut values = [1.0; 16];
                values[at] = odd;
                assert!(!of_floats(&values).is_finite());
            }
        }
        for at in 0..16 {
            let mut halves = [0xfbff, 0x8000].repeat(8);
            assert_eq!(scan_halves(&halves), HalvesFound { finite: true, normal_or_zero: true });
            halves[at] = 0x7c00 + at as u16;
            assert_eq!(scan_halves(&halves), HalvesFound { finite: false, normal_or_zero: true });
            halves[at] = 0x83ff - at as u16;
            assert_eq!(scan_halves(&halves), HalvesFound { finite: true, normal_or_zero: false });
        }
    }
}
