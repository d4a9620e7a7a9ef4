//! Bilinear resize of an RGBA picture into a normalised float tensor, in one pass.
//!
//! ```text
//! for each row y of the content:              weight v between source rows `top` and `bottom`
//!   for each column x:                        weight h between a source pixel and its right one
//!     for each channel c:
//!       left  = top[x]     * upper[c] + bottom[x]     * lower[c]
//!       right = top[x + 1] * upper[c] + bottom[x + 1] * lower[c]
//!       out   = (left + h * (right - left)) + bias[c]
//!   upper = (1 - v) / std, lower = v / std, bias = -mean / std
//! ```
//! Departures:
//! 1. Four columns at a time: a pixel and its right neighbour are eight adjacent bytes, so four
//!    64-bit loads fetch a row's share of a group. No intermediate rows, and source pixels between
//!    taps aren't read.
//! 2. Green comes out of its pixel times 256 (see `Pixels::channel`). The vertical weights make up
//!    for that, exactly, and for the division by std.
//! 3. Positions and weights come from the caller as tables, so that the slow twin in TypeScript
//!    computes the same bits.

use crate::simd::{F32x4, PixelPairs, Pixels, RowPair};

/// Two source rows (indices) for a row of the content.
pub type RowTaps = [u32; 2];

/// Where the channels go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    PlanarRgb,
    PlanarBgr,
    InterleavedRgb,
    InterleavedBgr,
}

/// A picture's geometry inside a tensor.
pub struct Plan<'a> {
    /// Byte offset in its row of each column's left pixel, padded to whole groups with zeros.
    pub columns: &'a [[u32; 4]],
    /// Weight of each column's right pixel, padded likewise.
    pub horizontal: &'a [[f32; 4]],
    pub rows: &'a [RowTaps],
    /// Weight of each row's bottom pixel.
    pub vertical: &'a [f32],
    /// `1 / std` and `-mean / std` for red, green, blue.
    pub scale: [f32; 3],
    pub bias: [f32; 3],
    /// Columns of the content; its rows are `rows.len()`.
    pub width: usize,
    /// Top left corner of the content, and the tensor's size.
    pub left: usize,
    pub top: usize,
    pub tensor_width: usize,
    pub tensor_height: usize,
    pub layout: Layout,
}

/// Fills the content of `tensor` (`3 * tensor_height * tensor_width`); the border is left alone.
/// `source` has rows of `row_bytes`, and at least eight bytes after the start of its last row.
pub fn image_to_tensor(plan: &Plan, source: &[u8], row_bytes: usize, tensor: &mut [f32]) {
    let reach = row_bytes.max(8);
    let pairs = PixelPairs::new(plan.columns, reach).expect("columns lie inside the row");
    for (y, (&[top, bottom], &v)) in plan.rows.iter().zip(plan.vertical).enumerate() {
        let [top, bottom] = [top, bottom].map(|row| &source[row as usize * row_bytes..][..reach]);
        let start = (plan.top + y) * plan.tensor_width + plan.left;
        let row = Row { pixels: pairs.rows(top, bottom), horizontal: plan.horizontal, weights: Weights::new(plan, v) };
        match plan.layout {
            Layout::PlanarRgb => planar(&row, plan, start, tensor, false),
            Layout::PlanarBgr => planar(&row, plan, start, tensor, true),
            Layout::InterleavedRgb => interleaved::<false>(&row, &mut tensor[3 * start..][..3 * plan.width]),
            Layout::InterleavedBgr => interleaved::<true>(&row, &mut tensor[3 * start..][..3 * plan.width]),
        }
    }
}

/// One row of the content: what to blend, and how.
struct Row<'a> {
    pixels: RowPair<'a>,
    horizontal: &'a [[f32; 4]],
    weights: Weights,
}

/// The constants of a row, in all lanes. They are passed in memory: from scalars, LLVM would splat
/// them again for every group.
///
/// The loop over the groups is at the limit of the registers. One vector more in flight, and V8
/// stores and reloads it on its stack, unaligned: where that straddled a page, the loop took 2.8
/// times as long. After a change, look for `vmovups [rbp` in what `--print-wasm-code` prints.
struct Weights {
    upper: [[f32; 4]; 3],
    lower: [[f32; 4]; 3],
    bias: [[f32; 4]; 3],
}

/// What makes up for the unit of each channel.
const UNIT: [f32; 3] = [1.0, 1.0 / 256.0, 1.0];

impl Weights {
    fn new(plan: &Plan, v: f32) -> Self {
        Self {
            upper: core::array::from_fn(|c| [(1.0 - v) * plan.scale[c] * UNIT[c]; 4]),
            lower: core::array::from_fn(|c| [v * plan.scale[c] * UNIT[c]; 4]),
            bias: plan.bias.map(|bias| [bias; 4]),
        }
    }

    /// Red, green and blue of four columns.
    #[inline(always)]
    fn blend(&self, taps: [Pixels; 4], horizontal: &[f32; 4]) -> [F32x4; 3] {
        let h = F32x4::load(horizontal);
        [
            self.channel(0, taps.map(Pixels::channel::<0>), h),
            self.channel(1, taps.map(Pixels::channel::<1>), h),
            self.channel(2, taps.map(Pixels::channel::<2>), h),
        ]
    }

    #[inline(always)]
    fn channel(&self, c: usize, [top_left, top_right, bottom_left, bottom_right]: [F32x4; 4], h: F32x4) -> F32x4 {
        let upper = F32x4::load(&self.upper[c]);
        let lower = F32x4::load(&self.lower[c]);
        let left = top_left * upper + bottom_left * lower;
        let right = top_right * upper + bottom_right * lower;
        (left + h * (right - left)) + F32x4::load(&self.bias[c])
    }
}

impl Row<'_> {
    /// The columns of the last group, which may be incomplete.
    fn last(&self) -> [F32x4; 3] {
        let index = self.horizontal.len() - 1;
        self.weights.blend(self.pixels.gather(index), &self.horizontal[index])
    }
}

#[inline(never)]
fn planar(row: &Row, plan: &Plan, start: usize, tensor: &mut [f32], bgr: bool) {
    let plane = plan.tensor_width * plan.tensor_height;
    let (first, rest) = tensor.split_at_mut(plane);
    let (second, third) = rest.split_at_mut(plane);
    let planes = [first, second, third].map(|plane| &mut plane[start..][..plan.width]);
    let mut colours = planes.map(|plane| plane.as_chunks_mut::<4>());
    if bgr {
        colours.swap(0, 2);
    }
    let [(reds, red), (greens, green), (blues, blue)] = colours;
    let outputs = reds.iter_mut().zip(greens).zip(blues);
    for ((((r, g), b), taps), h) in outputs.zip(row.pixels.groups()).zip(row.horizontal) {
        let [red, green, blue] = row.weights.blend(taps, h);
        red.store(r);
        green.store(g);
        blue.store(b);
    }
    if !red.is_empty() {
        for (out, values) in [red, green, blue].into_iter().zip(row.last()) {
            out.copy_from_slice(&values.to_array()[..plan.width % 4]);
        }
    }
}

#[inline(never)]
fn interleaved<const BGR: bool>(row: &Row, out: &mut [f32]) {
    let arrange = |[r, g, b]: [F32x4; 3]| F32x4::interleave(if BGR { [b, g, r] } else { [r, g, b] });
    let (blocks, tail) = out.as_chunks_mut::<12>();
    for ((block, taps), h) in blocks.iter_mut().zip(row.pixels.groups()).zip(row.horizontal) {
        let (vectors, _) = block.as_chunks_mut::<4>();
        for (vector, values) in vectors.iter_mut().zip(arrange(row.weights.blend(taps, h))) {
            values.store(vector);
        }
    }
    if !tail.is_empty() {
        let values = arrange(row.last()).map(F32x4::to_array);
        tail.copy_from_slice(&values.as_flattened()[..tail.len()]);
    }
}

#[cfg(test)]
#[path = "letterbox_tests.rs"]
mod tests;
