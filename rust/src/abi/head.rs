//! Training of small heads, in the module `training`.

use core::ptr::null_mut;

use super::{input, output};
use crate::head::{self, Batches, Block, Head, Parameters, Rule, Step, Turn};

/// A head and its memory: addresses and 32-bit numbers in this order.
#[repr(C)]
pub struct HeadFields {
    features: u32,
    /// 0: no hidden layer.
    hidden: u32,
    classes: u32,
    /// `weights`, `gradient`, `first`, `second`, `stiffness` and `pull` have as many blocks as the head has
    /// parameters, in rows padded to whole blocks.
    weights: *mut Block,
    gradient: *mut Block,
    first: *mut Block,
    /// 0: SGD.
    second: *mut Block,
    stiffness: *const Block,
    pull: *const Block,
    /// classes + 4 * (hidden / 4 + 1) blocks: ones in block classes + hidden, zeros after it.
    scratch: *mut Block,
    /// In padded rows, each with a 1 after its features.
    samples: *const Block,
    sample_count: u32,
    turns: *mut Turn,
    turn_count: u32,
    /// Turns a batch.
    batch: u32,
    /// One a batch.
    steps: *const Step,
    keep: f32,
    take: f32,
    keep_squares: f32,
    take_squares: f32,
}

impl HeadFields {
    fn head(&self) -> Head {
        Head { features: self.features as usize, hidden: self.hidden as usize, classes: self.classes as usize }
    }
}

/// [`head::epoch`] over all turns.
#[unsafe(no_mangle)]
pub extern "C" fn head_epoch(fields: *const HeadFields) {
    // SAFETY: the contract, with the lengths that the fields' comments state.
    unsafe {
        let fields = &*fields;
        let head = fields.head();
        let (size, turns, batch) = (head.size(), fields.turn_count as usize, fields.batch as usize);
        let batches = Batches {
            samples: input(fields.samples, fields.sample_count as usize * head.sample()),
            turns: output(fields.turns, turns),
            size: batch,
            steps: input(fields.steps, turns.div_ceil(batch)),
        };
        let mut parameters = Parameters {
            weights: output(fields.weights, size),
            gradient: output(fields.gradient, size),
            first: output(fields.first, size),
            second: (fields.second != null_mut()).then(|| output(fields.second, size)),
            stiffness: input(fields.stiffness, size),
            pull: input(fields.pull, size),
        };
        let rule = Rule {
            keep: fields.keep,
            take: fields.take,
            keep_squares: fields.keep_squares,
            take_squares: fields.take_squares,
        };
        head::epoch(head, &mut parameters, &rule, batches, output(fields.scratch, head.scratch()));
    }
}

/// [`head::predict`]: `samples[4 * groups]` in padded rows, `probabilities[groups * classes]`.
#[unsafe(no_mangle)]
pub extern "C" fn head_predict(
    fields: *const HeadFields,
    samples: *const Block,
    groups: usize,
    probabilities: *mut Block,
) {
    // SAFETY: the contract, with the lengths that the fields' comments state.
    unsafe {
        let fields = &*fields;
        let head = fields.head();
        let samples = input(samples, 4 * groups * head.sample());
        let probabilities = output(probabilities, groups * head.classes);
        let scratch = output(fields.scratch, head.scratch());
        head::predict(head, input(fields.weights, head.size()), samples, probabilities, scratch);
    }
}
