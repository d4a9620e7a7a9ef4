//! The module `probes`, which only benchmarks load.

use super::input;
use crate::probes;

/// [`probes::read_only`] of `words[count]`.
#[unsafe(no_mangle)]
pub extern "C" fn read_only(words: *const [f32; 4], count: usize) -> u32 {
    // SAFETY: the contract.
    probes::read_only(unsafe { input(words, count) })
}

/// [`probes::mul_add_peak`].
#[unsafe(no_mangle)]
pub extern "C" fn mul_add_peak(iterations: usize, factor: f32, summand: f32) -> f32 {
    probes::mul_add_peak(iterations, [factor, summand])
}
