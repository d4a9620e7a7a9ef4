//! The softmax and the loss of four samples, one a lane.

use core::f32::consts::{LN_2, LOG2_E};

use super::dense::Block;
use crate::exp2::exp2;
use crate::log2::log2;
use crate::simd::{F32x4, U32x4};

/// What the softmax of four samples says besides the probabilities.
pub struct Odds {
    /// The first class of the largest logit.
    pub best: F32x4,
    /// The cross-entropy with the labels: `ln(sum(exp(logits))) - logits[label]`.
    pub loss: F32x4,
}

/// Logits become probabilities.
#[inline(never)]
pub fn softmax(logits: &mut [Block], labels: U32x4) -> Odds {
    let mut largest = F32x4::splat(f32::NEG_INFINITY);
    let mut best = F32x4::splat(0.0);
    let mut own = best;
    for (class, logit) in logits.iter().enumerate() {
        let logit = F32x4::load(logit);
        best = logit.is_gt(largest).select(F32x4::splat(class as f32), best);
        own = U32x4::splat(class as u32).equals(labels).select(logit, own);
        largest = largest.greater(logit);
    }
    let mut sum = F32x4::splat(0.0);
    for logit in logits.iter_mut() {
        let weight = exp2((F32x4::load(logit) - largest) * F32x4::splat(LOG2_E));
        sum = sum + weight;
        weight.store(logit);
    }
    let scale = F32x4::splat(1.0) / sum;
    for weight in logits.iter_mut() {
        (F32x4::load(weight) * scale).store(weight);
    }
    Odds { best, loss: largest + log2(sum) * F32x4::splat(LN_2) - own }
}
