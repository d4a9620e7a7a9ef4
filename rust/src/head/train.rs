//! An epoch of minibatches, and prediction.

use core::array::from_fn;

use super::dense::{self, Block, Samples};
use super::optimizer::{Parameters, Rule, Step};
use super::softmax::softmax;
use super::{Head, Scratch};
use crate::simd::{F32x4, U32x4};

/// Four samples that go through the head together, and what came out.
#[repr(C)]
#[derive(Clone, Default)]
pub struct Turn {
    pub samples: [u32; 4],
    pub labels: [u32; 4],
    /// Of each sample in the loss of its batch; 0 for one that is only there to fill the four up.
    pub shares: Block,
    /// Cross-entropy before the batch's step.
    pub losses: Block,
    /// The most likely class before the batch's step, of equal ones the first.
    pub best: Block,
}

/// What an epoch goes over.
pub struct Batches<'a> {
    /// `head.sample()` blocks a sample.
    pub samples: &'a [Block],
    pub turns: &'a mut [Turn],
    /// Turns a batch; the last one may have fewer.
    pub size: usize,
    /// One a batch.
    pub steps: &'a [Step],
}

/// One pass over all batches.
#[inline(always)]
pub fn epoch(head: Head, parameters: &mut Parameters, rule: &Rule, batches: Batches, scratch: &mut [Block]) {
    let mut scratch = head.split(scratch);
    for (batch, step) in batches.turns.chunks_mut(batches.size).zip(batches.steps) {
        parameters.start_gradient();
        for turn in batch {
            learn(head, parameters, batches.samples, turn, &mut scratch);
        }
        parameters.step(rule, step);
    }
}

/// Adds a turn's part to the gradient.
fn learn(head: Head, parameters: &mut Parameters, samples: &[Block], turn: &mut Turn, scratch: &mut Scratch) {
    let samples = turn.samples.map(|index| row(samples, index as usize, head.sample()));
    forward(head, parameters.weights, samples, scratch);

    let labels = U32x4::from_array(turn.labels);
    let odds = softmax(scratch.logits, labels);
    odds.loss.store(&mut turn.losses);
    odds.best.store(&mut turn.best);
    let shares = F32x4::load(&turn.shares);
    for (class, errors) in scratch.logits.iter_mut().enumerate() {
        let is_label = U32x4::splat(class as u32).equals(labels);
        let wanted = is_label.select(F32x4::splat(1.0), F32x4::splat(0.0));
        ((F32x4::load(errors) - wanted) * shares).store(errors);
    }

    let [first, second] = head.layers();
    let (gradient, next) = parameters.gradient.split_at_mut(first.size());
    if head.hidden == 0 {
        dense::accumulate(scratch.logits, samples, gradient);
    } else {
        dense::accumulate_lanes(scratch.logits, scratch.hidden, next);
        let units = &mut scratch.hidden[..head.hidden];
        dense::backward_lanes(&parameters.weights[first.size()..], 4 * second.blocks(), scratch.logits, units);
        dense::accumulate(units, samples, gradient);
    }
}

/// The logits of four samples.
#[inline(never)]
fn forward(head: Head, weights: &[Block], samples: Samples, scratch: &mut Scratch) {
    if head.hidden == 0 {
        return dense::forward(weights, samples, scratch.logits);
    }
    let units = &mut scratch.hidden[..head.hidden];
    dense::forward(weights, samples, units);
    for unit in units {
        F32x4::load(unit).greater(F32x4::splat(0.0)).store(unit);
    }
    dense::forward_lanes(&weights[head.layers()[0].size()..], scratch.hidden, scratch.logits);
}

/// The probabilities of each four samples: a vector a class.
#[inline(always)]
pub fn predict(head: Head, weights: &[Block], samples: &[Block], out: &mut [Block], scratch: &mut [Block]) {
    let mut scratch = head.split(scratch);
    let groups = samples.chunks_exact(4 * head.sample());
    for (group, logits) in groups.zip(out.chunks_exact_mut(head.classes)) {
        scratch.logits = logits;
        forward(head, weights, from_fn(|lane| row(group, lane, head.sample())), &mut scratch);
        softmax(scratch.logits, U32x4::splat(0));
    }
}

#[inline(always)]
fn row(rows: &[Block], index: usize, blocks: usize) -> &[Block] {
    &rows[index * blocks..][..blocks]
}
