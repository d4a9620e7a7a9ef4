//! What the machine can do at most from WebAssembly: the limits that benchmarks put their kernels beside, taken
//! in the same run.

use crate::simd::{F32x4, U32x4};

/// Operations on single floats in an iteration of [`mul_add_peak`].
pub const FLOPS_PER_ITERATION: usize = ACCUMULATORS * 4 * 2;

/// Two multiplications and two additions start in a cycle, and each waits for the other: 12 chains keep both busy.
/// With the two constants it is 14 vectors, all that V8 keeps in registers.
const ACCUMULATORS: usize = 12;

/// Vectors a step, and sums: each vector that is loaded is live until it is added.
const STEP: usize = 16;
const SUMS: usize = 4;

/// Reads all words once and does as little with them as keeps the compiler from leaving it out: the sum of the
/// bits of all lanes as integers, modulo 2^32. Nothing that looks at every word can be faster.
pub fn read_only(words: &[[f32; 4]]) -> u32 {
    let (steps, rest) = words.as_chunks::<STEP>();
    let mut sums = [U32x4::splat(0); SUMS];
    for step in steps {
        let (rows, _) = step.as_chunks::<SUMS>();
        for row in rows {
            for (sum, word) in sums.iter_mut().zip(row) {
                *sum = *sum + F32x4::load(word).bits();
            }
        }
    }
    for word in rest {
        sums[0] = sums[0] + F32x4::load(word).bits();
    }
    let [a, b, c, d] = sums;
    ((a + b) + (c + d)).to_array().into_iter().fold(0, u32::wrapping_add)
}

/// Multiplies and adds in registers alone, [`FLOPS_PER_ITERATION`] an iteration: chain `i` starts at `i` and goes
/// on as `x * factor + summand`. The sum of all chains and lanes. The constants come as arguments so that nothing
/// is known when this is compiled; a factor below 1 keeps the values from growing.
pub fn mul_add_peak(iterations: usize, [factor, summand]: [f32; 2]) -> f32 {
    let (factor, summand) = (F32x4::splat(factor), F32x4::splat(summand));
    let mut chains: [F32x4; ACCUMULATORS] = core::array::from_fn(|i| F32x4::splat(i as f32));
    for _ in 0..iterations {
        for chain in &mut chains {
            *chain = *chain * factor + summand;
        }
    }
    chains.into_iter().flat_map(F32x4::to_array).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_adds_every_word_once() {
        for length in [0, 1, 3, 4, 5, 16, 17, 1003] {
            let words: Vec<[f32; 4]> = (0..length)
                .map(|i| core::array::from_fn(|lane| f32::from_bits(i * 4 + lane as u32 + (1 << 30))))
                .collect();
            let expected = words.as_flattened().iter().fold(0u32, |sum, value| sum.wrapping_add(value.to_bits()));
            assert_eq!(read_only(&words), expected, "{length} words");
        }
    }

    #[test]
    fn mul_add_peak_goes_through_all_iterations() {
        for iterations in [0, 1, 5, 40] {
            let chain = |start: f32| (0..iterations).fold(start, |x, _| x * 0.5 + 2.0);
            let expected: f32 = (0..ACCUMULATORS).map(|i| 4.0 * chain(i as f32)).sum();
            assert!((mul_add_peak(iterations, [0.5, 2.0]) - expected).abs() < 1e-3, "{iterations} iterations");
        }
    }
}
