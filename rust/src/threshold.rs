//! Threshold: an image is hard when the mean score of its boxes is low.
//!
//! Sedna's rule (`ThresholdFilter`): a plain sum in f64, left to right, without a range check;
//! an image without boxes is easy. The sum stays scalar because its order decides the last bit.

/// Writes 1 (hard) or 0 for each image; `offsets` as in [`crate::ibt::ibt`].
pub fn threshold(scores: &[f32], offsets: &[u32], threshold: f64, hard: &mut [u8]) {
    let base = offsets[0];
    for (pair, hard) in offsets.windows(2).zip(hard) {
        let image = &scores[(pair[0] - base) as usize..(pair[1] - base) as usize];
        let sum = image.iter().fold(0.0, |sum, &score| sum + f64::from(score));
        *hard = u8::from(sum / (image.len() as f64) < threshold);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hard_means_a_mean_strictly_below_the_threshold() {
        let scores = [0.25, 0.75, 0.25, 0.5, 7.0, f32::NAN];
        let mut hard = [9; 5];
        threshold(&scores, &[3, 5, 7, 7, 8, 9], 0.5, &mut hard);
        assert_eq!(hard, [0, 1, 0, 0, 0], "equal, below, no boxes, out of range, NaN");
    }
}
