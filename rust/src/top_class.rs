//! The best class of each cell of a detector's head, kept when it reaches a threshold.

use crate::simd::F32x4;

/// Where [`top_class`] writes: one element for each kept cell, so at most one a row.
pub struct Kept<'a> {
    pub index: &'a mut [u32],
    pub label: &'a mut [u32],
    pub score: &'a mut [f32],
}

/// Scans rows of `classes` scores; the number of rows whose largest score is `>= threshold`. The
/// first of equal classes wins; NaN never does.
///
/// Almost no cell passes, so a row is first only maximised, in vectors; the label is looked up
/// for the few that pass.
pub fn top_class(scores: &[f32], classes: usize, threshold: f32, kept: Kept) -> usize {
    let mut count = 0;
    for (index, row) in scores.chunks_exact(classes).enumerate() {
        let best = largest(row);
        if best >= threshold
            && let Some(label) = row.iter().position(|&score| score == best)
        {
            kept.index[count] = index as u32;
            kept.label[count] = label as u32;
            kept.score[count] = row[label];
            count += 1;
        }
    }
    count
}

#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let (blocks, tail) = row.as_chunks::<4>();
    let mut best = F32x4::splat(f32::NEG_INFINITY);
    for block in blocks {
        best = best.greater(F32x4::load(block));
    }
    let greater = |best: f32, &score: &f32| if best < score { score } else { best };
    let best = best.to_array().iter().fold(f32::NEG_INFINITY, greater);
    tail.iter().fold(best, greater)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{AWKWARD, Samples};

    fn run(scores: &[f32], classes: usize, threshold: f32) -> Vec<(u32, u32, f32)> {
        let rows = scores.len() / classes;
        let (mut index, mut label, mut score) = (vec![0; rows], vec![0; rows], vec![0.0; rows]);
        let kept = Kept { index: &mut index, label: &mut label, score: &mut score };
        let count = top_class(scores, classes, threshold, kept);
        (0..count).map(|i| (index[i], label[i], score[i])).collect()
    }

    fn naive(scores: &[f32], classes: usize, threshold: f32) -> Vec<(u32, u32, f32)> {
        let mut kept = Vec::new();
        for (index, row) in scores.chunks(classes).enumerate() {
            let mut label = 0;
            for (c, &score) in row.iter().enumerate() {
                if score > row[label] {
                    label = c;
                }
            }
            if row[label] >= threshold {
                kept.push((index as u32, label as u32, row[label]));
            }
        }
        kept
    }

    #[test]
    fn agrees_with_the_naive_loop() {
        let mut random = Samples::new(11);
        for classes in AWKWARD.into_iter().filter(|&c| c > 0) {
            // Few distinct values, so that classes tie.
            let scores: Vec<f32> = (0..classes * 13).map(|_| (random.next() % 9) as f32 / 8.0).collect();
            for threshold in [0.0, 0.5, 1.0, 1.5] {
                assert_eq!(run(&scores, classes, threshold), naive(&scores, classes, threshold));
            }
        }
    }

    #[test]
    fn nan_never_wins() {
        let (nan, low) = (f32::NAN, f32::NEG_INFINITY);
        let scores = [nan, 0.5, nan, nan, nan, 0.25, nan, nan, nan, nan, nan, nan, low, low, low];
        assert_eq!(run(&scores, 5, low), [(0, 1, 0.5), (1, 0, 0.25), (2, 2, low)]);
    }
}
