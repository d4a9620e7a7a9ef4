//! Weighted sum with an accumulator of f64, for rounds of many thousand clients.

use crate::simd_narrow::F64x2;
use crate::simd::F32x4;

/// `sums[i] += weight * values[i]`; both have the same whole number of fours.
pub fn accumulate(values: &[f32], weight: f64, sums: &mut [f64]) {
    let weight = F64x2::splat(weight);
    for (values, sums) in values.as_chunks::<4>().0.iter().zip(sums.as_chunks_mut::<4>().0) {
        let [low, high] = F32x4::load(values).widen();
        let (first, second) = sums.split_at_mut(2);
        for (half, value) in [(first, low), (second, high)] {
            let half: &mut [f64; 2] = half.try_into().expect("two lanes");
            F64x2::load(half).plus_product(value, weight).store(half);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_products_in_f64() {
        let values = [1.0, -2.0, 0.5, 3.0e-8];
        let mut sums = [1.0, 1.0, -0.5, 1.0];
        accumulate(&values, 3.0, &mut sums);
        assert_eq!(sums, [4.0, -5.0, 1.0, 1.0 + f64::from(3.0e-8f32) * 3.0]);
    }
}
