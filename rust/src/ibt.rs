//! IBT, "image and box thresholds": an image is hard when enough of its boxes score low.
//!
//! Sedna's rule (`IBTFilter` in lib/sedna/algorithms/hard_example_mining): a score outside 0..1
//! makes the image easy; else it is hard iff `count(score <= threshold_box) / n >= share`, where
//! `share` is `1 - threshold_img` computed in f64 by the caller.

use crate::simd::{F32x4, U32x4};

const ONE: u32 = 0x3f80_0000;

/// Writes 1 (hard) or 0 for each image. Image `i` owns the scores from `offsets[i]` up to
/// `offsets[i + 1]`, both relative to `offsets[0]`; `hard` has one element fewer than `offsets`.
pub fn ibt(scores: &[f32], offsets: &[u32], threshold_box: f32, share: f64, hard: &mut [u8]) {
    let base = offsets[0];
    for (pair, hard) in offsets.windows(2).zip(hard) {
        let image = &scores[(pair[0] - base) as usize..(pair[1] - base) as usize];
        *hard = u8::from(is_hard(image, threshold_box, share));
    }
}

/// The range check is one integer maximum: as bits, exactly the floats in 0..1 are at most ONE,
/// but for -0.0, which adding 0.0 turns into +0.0. Negative numbers and NaN have larger bits.
#[inline(always)]
fn is_hard(image: &[f32], threshold_box: f32, share: f64) -> bool {
    let (blocks, tail) = image.as_chunks::<4>();
    let mut low = U32x4::splat(0);
    let mut largest = U32x4::splat(0);
    for block in blocks {
        let scores = F32x4::load(block);
        low = low - scores.is_le(F32x4::splat(threshold_box));
        largest = largest.greater((scores + F32x4::splat(0.0)).bits());
    }
    let mut low: u32 = low.to_array().iter().sum();
    // Above ONE in any lane, without taking the lanes apart.
    let mut outside = (largest.greater(U32x4::splat(ONE)) - U32x4::splat(ONE)).any();
    for &score in tail {
        low += u32::from(score <= threshold_box);
        outside |= (score + 0.0).to_bits() > ONE;
    }
    !image.is_empty() && !outside && f64::from(low) / image.len() as f64 >= share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{AWKWARD, Samples};

    fn naive(image: &[f32], threshold_box: f32, share: f64) -> u8 {
        if image.is_empty() || image.iter().any(|&s| !(0.0..=1.0).contains(&s)) {
            return 0;
        }
        let low = image.iter().filter(|&&s| s <= threshold_box).count();
        u8::from(low as f64 / image.len() as f64 >= share)
    }

    #[test]
    fn agrees_with_the_naive_loop() {
        let mut random = Samples::new(1);
        let mut scores = Vec::new();
        let mut offsets = vec![70];
        for length in AWKWARD {
            scores.extend(random.units(length));
            offsets.push(70 + scores.len() as u32);
        }
        for share in [0.0, 0.3, 0.5, 0.51, 1.0 - 0.7, 1.0] {
            let mut hard = vec![9; AWKWARD.len()];
            ibt(&scores, &offsets, 0.5, share, &mut hard);
            for (i, &hard) in hard.iter().enumerate() {
                let image = &scores[(offsets[i] - 70) as usize..(offsets[i + 1] - 70) as usize];
                assert_eq!(hard, naive(image, 0.5, share), "{} boxes, share {share}", image.len());
            }
        }
    }

    #[test]
    fn a_score_outside_0_to_1_makes_the_image_easy() {
        for (odd, expected) in [
            (-0.0, 1),
            (0.0, 1),
            (1.0, 1),
            (-1e-45, 0),
            (1.000_000_1, 0),
            (f32::NAN, 0),
            (-f32::NAN, 0),
            (f32::INFINITY, 0),
        ] {
            for at in 0..6 {
                let mut scores = [0.1; 6];
                scores[at] = odd;
                let mut hard = [9];
                ibt(&scores, &[0, 6], 0.5, 0.5, &mut hard);
                assert_eq!(hard[0], expected, "{odd} at {at}");
            }
        }
    }
}
