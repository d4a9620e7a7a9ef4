//! A dense layer for four samples at a time.

use crate::simd::F32x4;

/// Four floats in memory.
pub type Block = [f32; 4];

/// Four rows of inputs.
pub type Samples<'a> = [&'a [Block]; 4];

/// The sizes of a layer. A row of inputs is the inputs, a 1, and zeros up to whole blocks; a row of
/// weights, one an output, is the inputs' weights, the bias, and zeros: the bias needs no code.
#[derive(Clone, Copy)]
pub struct Dense {
    pub inputs: usize,
    pub outputs: usize,
}

impl Dense {
    /// Blocks of a row.
    pub fn blocks(self) -> usize {
        self.inputs / 4 + 1
    }

    /// Blocks of the weights.
    pub fn size(self) -> usize {
        self.outputs * self.blocks()
    }
}

/// `out[o]` = the product of row `o` with each sample. Two rows at a time would save loads, but were
/// measured to be no faster, and twice the code.
#[inline(never)]
pub fn forward(weights: &[Block], samples: Samples, out: &mut [Block]) {
    let blocks = samples[0].len();
    let samples = samples.map(|sample| &sample[..blocks]);
    for (out, row) in out.iter_mut().zip(weights.chunks_exact(blocks)) {
        let mut sums = [F32x4::splat(0.0); 4];
        for (k, weight) in row.iter().enumerate() {
            let weight = F32x4::load(weight);
            for (sum, sample) in sums.iter_mut().zip(samples) {
                *sum = *sum + weight * F32x4::load(&sample[k]);
            }
        }
        *out = sums.map(|sum| {
            let [a, b, c, d] = sum.to_array();
            (a + b) + (c + d)
        });
    }
}

/// `gradient[o]` += each sample times its error in `errors[o]`.
#[inline(never)]
pub fn accumulate(errors: &[Block], samples: Samples, gradient: &mut [Block]) {
    let blocks = samples[0].len();
    let [a, b, c, d] = samples.map(|sample| &sample[..blocks]);
    for (errors, row) in errors.iter().zip(gradient.chunks_exact_mut(blocks)) {
        let errors = errors.map(F32x4::splat);
        for (k, sum) in row.iter_mut().enumerate() {
            let low = errors[0] * F32x4::load(&a[k]) + errors[1] * F32x4::load(&b[k]);
            let high = errors[2] * F32x4::load(&c[k]) + errors[3] * F32x4::load(&d[k]);
            (F32x4::load(sum) + (low + high)).store(sum);
        }
    }
}

/// As `forward`, for inputs that are lanes: a vector of four samples each.
pub fn forward_lanes(weights: &[Block], inputs: &[Block], out: &mut [Block]) {
    let (inputs, _) = inputs.as_chunks::<4>();
    for (out, row) in out.iter_mut().zip(weights.chunks_exact(inputs.len())) {
        let mut sums = [F32x4::splat(0.0); 4];
        for (weights, inputs) in row.iter().zip(inputs) {
            for ((sum, &weight), input) in sums.iter_mut().zip(weights).zip(inputs) {
                *sum = *sum + F32x4::splat(weight) * F32x4::load(input);
            }
        }
        let [a, b, c, d] = sums;
        ((a + b) + (c + d)).store(out);
    }
}

/// As `accumulate`, for inputs that are lanes.
pub fn accumulate_lanes(errors: &[Block], inputs: &[Block], gradient: &mut [Block]) {
    let rows = gradient.as_flattened_mut().chunks_exact_mut(inputs.len());
    for (error, row) in errors.iter().zip(rows) {
        let error = F32x4::load(error);
        for (sum, input) in row.iter_mut().zip(inputs) {
            let [a, b, c, d] = (error * F32x4::load(input)).to_array();
            *sum += (a + b) + (c + d);
        }
    }
}

/// The errors before a layer and its ReLU, from those of its outputs: the activations of `units`
/// become errors. `width` is the floats of a row of weights.
pub fn backward_lanes(weights: &[Block], width: usize, errors: &[Block], units: &mut [Block]) {
    let zero = F32x4::splat(0.0);
    for (unit, activation) in units.iter_mut().enumerate() {
        let mut error = zero;
        for (row, output) in weights.as_flattened().chunks_exact(width).zip(errors) {
            error = error + F32x4::load(output) * F32x4::splat(row[unit]);
        }
        F32x4::load(activation).is_gt(zero).select(error, zero).store(activation);
    }
}
