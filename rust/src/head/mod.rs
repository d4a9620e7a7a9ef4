//! Training of a small head on frozen features: one dense layer and a softmax, or two with a ReLU
//! between them, by minibatches.
//!
//! ```text
//! for each batch:
//!     gradient = that of the penalties (L2, and FedProx's pull to where a round began)
//!     for each four samples of the batch:
//!         forward, softmax, backward: gradient += errors x inputs
//!     weights -= the optimizer's step
//! ```
//! Four samples go all the way before the next four, so that their features are read from memory
//! once and are still in L1 for the gradient. What an output or a hidden unit has of four samples
//! are the four lanes of a vector. A batch's last four are filled up with samples of share 0.

mod dense;
mod optimizer;
mod softmax;
#[cfg(test)]
mod tests;
mod train;

pub use dense::Block;
pub use optimizer::{Parameters, Rule, Step};
pub use train::{Batches, Turn, epoch, predict};

use dense::Dense;

/// The sizes of a head. Its parameters are the layers' in order; see [`dense::Dense`].
#[derive(Clone, Copy)]
pub struct Head {
    pub features: usize,
    /// 0: no hidden layer.
    pub hidden: usize,
    pub classes: usize,
}

impl Head {
    /// The layers in order; without a hidden layer, the second has no outputs.
    fn layers(self) -> [Dense; 2] {
        let Head { features, hidden, classes } = self;
        let (first, second) = if hidden == 0 { (classes, 0) } else { (hidden, classes) };
        [Dense { inputs: features, outputs: first }, Dense { inputs: hidden, outputs: second }]
    }

    /// Blocks of the parameters.
    pub fn size(self) -> usize {
        self.layers().map(Dense::size).iter().sum()
    }

    /// Blocks of a sample.
    pub fn sample(self) -> usize {
        self.layers()[0].blocks()
    }

    /// Blocks that a [`Scratch`] needs: see there what must be in them.
    pub fn scratch(self) -> usize {
        self.classes + 4 * self.layers()[1].blocks()
    }

    fn split(self, scratch: &mut [Block]) -> Scratch<'_> {
        let (logits, hidden) = scratch.split_at_mut(self.classes);
        Scratch { logits, hidden }
    }
}

/// What is between the layers, for four samples.
struct Scratch<'a> {
    /// Of each class the logits, then the probabilities, then the errors.
    logits: &'a mut [Block],
    /// Of each hidden unit the activations, then the errors. After the units, as after the features
    /// of a sample, come a vector of ones for the biases and zeros up to whole blocks: the caller put
    /// them there, and nothing changes them.
    hidden: &'a mut [Block],
}
