//! Penalties and optimizers over flat parameters.

use super::dense::Block;
use crate::simd::F32x4;

/// How gradients become steps. SGD: `keep` is the momentum and `take` 1. Adam: the betas, and one
/// minus them (rounded apart: 1 - 0.999 in f32 is off by 5e-5).
pub struct Rule {
    pub keep: f32,
    pub take: f32,
    pub keep_squares: f32,
    pub take_squares: f32,
}

/// What changes from step to step: Adam's correction of its moments' start at 0 is in both.
#[repr(C)]
pub struct Step {
    pub rate: f32,
    pub epsilon: f32,
}

/// A head's parameters and what belongs to each.
pub struct Parameters<'a> {
    pub weights: &'a mut [Block],
    pub gradient: &'a mut [Block],
    /// The momentum, or Adam's first moment.
    pub first: &'a mut [Block],
    /// Adam's second moment; without one, it is SGD.
    pub second: Option<&'a mut [Block]>,
    /// Gradient of the penalties: `stiffness * weight - pull`.
    pub stiffness: &'a [Block],
    pub pull: &'a [Block],
}

impl Parameters<'_> {
    /// The gradient of the penalties, in place of what was there.
    pub fn start_gradient(&mut self) {
        let springs = self.stiffness.iter().zip(self.pull);
        for ((gradient, weight), (stiffness, pull)) in self.gradient.iter_mut().zip(&*self.weights).zip(springs) {
            (F32x4::load(stiffness) * F32x4::load(weight) - F32x4::load(pull)).store(gradient);
        }
    }

    /// Moves the weights against the gradient.
    pub fn step(&mut self, rule: &Rule, step: &Step) {
        let [keep, take, rate] = [rule.keep, rule.take, step.rate].map(F32x4::splat);
        let each = self.weights.iter_mut().zip(&*self.gradient).zip(&mut *self.first);
        let Some(second) = &mut self.second else {
            for ((weight, gradient), first) in each {
                let moment = keep * F32x4::load(first) + take * F32x4::load(gradient);
                moment.store(first);
                (F32x4::load(weight) - rate * moment).store(weight);
            }
            return;
        };
        let [keep_squares, take_squares, epsilon] =
            [rule.keep_squares, rule.take_squares, step.epsilon].map(F32x4::splat);
        for (((weight, gradient), first), second) in each.zip(&mut **second) {
            let gradient = F32x4::load(gradient);
            let moment = keep * F32x4::load(first) + take * gradient;
            let square = keep_squares * F32x4::load(second) + take_squares * (gradient * gradient);
            moment.store(first);
            square.store(second);
            (F32x4::load(weight) - rate * moment / (square.sqrt() + epsilon)).store(weight);
        }
    }
}
