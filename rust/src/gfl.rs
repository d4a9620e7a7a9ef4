//! Decoding of generalised focal loss boxes (NanoDet): each side of a box is a distribution over
//! bins, and its distance the expected bin (Li et al., "Generalized Focal Loss", 2020).

use core::f32::consts::LOG2_E;

use crate::exp2::exp2;
use crate::simd::F32x4;

/// Writes `x1, y1, x2, y2` for each cell. `distances` holds, for each of `cells`, the logits of
/// left, top, right and bottom, `bins` each. The centre of cell `c` is
/// `(c % grid_width + 0.5, c / grid_width + 0.5) * stride`.
///
/// The four sides are the four lanes: one softmax a cell, without a horizontal step.
pub fn gfl_decode(distances: &[f32], cells: &[u32], bins: usize, stride: f32, grid_width: u32, boxes: &mut [f32]) {
    let (boxes, _) = boxes.as_chunks_mut::<4>();
    for ((logits, &cell), out) in distances.chunks_exact(4 * bins).zip(cells).zip(boxes) {
        let [left, top, right, bottom] = expected_bins(logits, bins).map(|bin| bin * stride);
        let x = ((cell % grid_width) as f32 + 0.5) * stride;
        let y = ((cell / grid_width) as f32 + 0.5) * stride;
        *out = [x - left, y - top, x + right, y + bottom];
    }
}

#[inline(always)]
fn expected_bins(logits: &[f32], bins: usize) -> [f32; 4] {
    let side = |bin: usize| F32x4::load(&core::array::from_fn(|side| logits[side * bins + bin]));
    let mut largest = side(0);
    for bin in 1..bins {
        largest = largest.greater(side(bin));
    }
    let mut sum = F32x4::splat(0.0);
    let mut weighted = F32x4::splat(0.0);
    for bin in 0..bins {
        let weight = exp2((side(bin) - largest) * F32x4::splat(LOG2_E));
        sum = sum + weight;
        weighted = weighted + weight * F32x4::splat(bin as f32);
    }
    (weighted / sum).to_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    fn naive(logits: &[f32]) -> f64 {
        let weights: Vec<f64> = logits.iter().map(|&v| f64::from(v).exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().enumerate().map(|(bin, w)| bin as f64 * w / sum).sum()
    }

    #[test]
    fn boxes_are_within_a_thousandth_of_a_pixel() {
        let mut random = Samples::new(5);
        for bins in [1, 2, 8, 11, 17] {
            let logits: Vec<f32> = random.units(6 * 4 * bins).iter().map(|u| u * 20.0 - 10.0).collect();
            let cells = [0, 1, 51, 52, 53, 2703];
            let mut boxes = [0.0; 24];
            gfl_decode(&logits, &cells, bins, 8.0, 52, &mut boxes);
            for (i, &cell) in cells.iter().enumerate() {
                for side in 0..4 {
                    let start = (i * 4 + side) * bins;
                    let distance = naive(&logits[start..start + bins]) * 8.0;
                    let (x, y) = (f64::from(cell % 52) * 8.0 + 4.0, f64::from(cell / 52) * 8.0 + 4.0);
                    let exact = [x - distance, y - distance, x + distance, y + distance][side];
                    let error = (f64::from(boxes[i * 4 + side]) - exact).abs();
                    assert!(error <= 1e-3, "{bins} bins, cell {cell}, side {side}: {error}");
                }
            }
        }
    }
}
