//! CrossEntropy: how sure a classifier is of one sample, from the entropy of its probabilities.
//!
//! Sedna's measure (`CrossEntropyFilter`): `confidence = 1 + sum(p ln p) / ln(classes)`. Departures:
//! 1. p = 0 adds nothing (the original raises);
//! 2. a value outside 0..1 gives NaN, which is below no threshold.

use crate::log2::log2;
use crate::simd::{F32x4, U32x4};

const ONE: u32 = 0x3f80_0000;

/// Vectors added up in f32 before the sum moves to f64: keeps long rows exact.
const RUN: usize = 32;

/// Writes the confidence of each row of `classes` probabilities. `scale` is `1 / log2(classes)`.
/// Absolute error <= 1e-6 for rows that sum to 1; it grows with the sum of a row.
pub fn cross_entropy(probabilities: &[f32], classes: usize, scale: f64, confidences: &mut [f32]) {
    for (row, confidence) in probabilities.chunks_exact(classes).zip(confidences) {
        *confidence = match sum_p_log2_p(row) {
            Some(sum) => (1.0 + sum * scale) as f32,
            None => f32::NAN,
        };
    }
}

/// None when a value lies outside 0..1 (see `ibt.rs` for the trick with bits).
#[inline(always)]
fn sum_p_log2_p(row: &[f32]) -> Option<f64> {
    let (blocks, tail) = row.as_chunks::<4>();
    let mut largest = U32x4::splat(0);
    let mut total = 0.0;
    for run in blocks.chunks(RUN) {
        total += sum_run(run, &mut largest);
    }
    if !tail.is_empty() {
        let mut block = [0.0; 4];
        block[..tail.len()].copy_from_slice(tail);
        total += sum_run(&[block], &mut largest);
    }
    let largest = largest.to_array().into_iter().fold(0, u32::max);
    (largest <= ONE).then_some(total)
}

#[inline(always)]
fn sum_run(blocks: &[[f32; 4]], largest: &mut U32x4) -> f64 {
    let mut sum = F32x4::splat(0.0);
    for block in blocks {
        let p = F32x4::load(block) + F32x4::splat(0.0);
        *largest = largest.greater(p.bits());
        sum = sum + p * log2(p);
    }
    sum.to_array().into_iter().map(f64::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    fn naive(row: &[f32]) -> f64 {
        let sum: f64 = row.iter().map(|&p| f64::from(p)).map(|p| if p == 0.0 { 0.0 } else { p * p.ln() }).sum();
        1.0 + sum / (row.len() as f64).ln()
    }

    #[test]
    fn rows_that_sum_to_one_are_within_one_millionth() {
        let mut random = Samples::new(3);
        for classes in [2, 3, 4, 5, 7, 64, 65, 80, 1003] {
            for sharpness in [1, 4, 30] {
                let mut rows: Vec<f32> = (0..50 * classes).map(|_| random.unit().powi(sharpness)).collect();
                for row in rows.chunks_mut(classes) {
                    let sum: f32 = row.iter().sum();
                    row.iter_mut().for_each(|p| *p /= sum);
                }
                let mut confidences = vec![0.0; 50];
                cross_entropy(&rows, classes, 1.0 / (classes as f64).log2(), &mut confidences);
                for (row, &confidence) in rows.chunks(classes).zip(&confidences) {
                    let error = (f64::from(confidence) - naive(row)).abs();
                    assert!(error <= 1e-6, "{classes} classes: {error}");
                }
            }
        }
    }

    #[test]
    fn a_one_hot_row_is_certain_and_a_uniform_row_is_not() {
        let mut confidences = [9.0; 2];
        cross_entropy(&[0.0, 1.0, -0.0, 0.0, 0.25, 0.25, 0.25, 0.25], 4, 0.5, &mut confidences);
        assert_eq!(confidences, [1.0, 0.0]);
    }

    #[test]
    fn a_value_outside_0_to_1_gives_nan() {
        for odd in [-1e-30, 1.000_000_1, f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in 0..6 {
                let mut row = [0.1; 6];
                row[at] = odd;
                let mut confidences = [9.0];
                cross_entropy(&row, 6, 1.0, &mut confidences);
                assert!(confidences[0].is_nan(), "{odd} at {at}");
            }
        }
    }
}
