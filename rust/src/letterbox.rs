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
//!    64-bit loads fetch a row's share of a group, and a byte shuffle a channel both splits the
//!    channels and widens them. No intermediate rows, and source pixels between taps aren't read.
//! 2. Normalisation is folded into the vertical weights, so it costs one addition.
//! 3. Positions and weights come from the caller as tables, so that the slow twin in TypeScript
//!    computes the same bits.

use crate::simd::{F32x4, PixelPairs, RowPair};

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
        let taps = Taps {
            rows: pairs.rows(top, bottom),
            horizontal: plan.horizontal,
            upper: plan.scale.map(|scale| F32x4::splat((1.0 - v) * scale)),
            lower: plan.scale.map(|scale| F32x4::splat(v * scale)),
            bias: plan.bias.map(F32x4::splat),
        };
        let start = (plan.top + y) * plan.tensor_width + plan.left;
        match plan.layout {
            Layout::PlanarRgb => planar(&taps, plan, start, tensor, [0, 1, 2]),
            Layout::PlanarBgr => planar(&taps, plan, start, tensor, [2, 1, 0]),
            Layout::InterleavedRgb => interleaved::<false>(&taps, &mut tensor[3 * start..][..3 * plan.width]),
            Layout::InterleavedBgr => interleaved::<true>(&taps, &mut tensor[3 * start..][..3 * plan.width]),
        }
    }
}

struct Taps<'a> {
    rows: RowPair<'a>,
    horizontal: &'a [[f32; 4]],
    upper: [F32x4; 3],
    lower: [F32x4; 3],
    bias: [F32x4; 3],
}

impl Taps<'_> {
    /// Red, green and blue of four columns.
    #[inline(always)]
    fn group(&self, index: usize) -> [F32x4; 3] {
        let taps = self.rows.gather(index);
        let h = F32x4::load(&self.horizontal[index]);
        [self.blend(0, taps.map(|p| p.channel::<0>()), h), self.blend(1, taps.map(|p| p.channel::<1>()), h), self.blend(2, taps.map(|p| p.channel::<2>()), h)]
    }

    #[inline(always)]
    fn blend(&self, c: usize, [top_left, top_right, bottom_left, bottom_right]: [F32x4; 4], h: F32x4) -> F32x4 {
        let left = top_left * self.upper[c] + bottom_left * self.lower[c];
        let right = top_right * self.upper[c] + bottom_right * self.lower[c];
        (left + h * (right - left)) + self.bias[c]
    }
}

/// `order[c]` is the plane that colour `c` goes to.
#[inline(always)]
fn planar(taps: &Taps, plan: &Plan, start: usize, tensor: &mut [f32], order: [usize; 3]) {
    let plane = plan.tensor_width * plan.tensor_height;
    let (first, rest) = tensor.split_at_mut(plane);
    let (second, third) = rest.split_at_mut(plane);
    let mut planes = [first, second, third].map(|plane| plane[start..][..plan.width].as_chunks_mut::<4>());
    let [a, b, c] = &mut planes;
    let groups = a.0.len();
    for (index, ((a, b), c)) in a.0.iter_mut().zip(b.0.iter_mut()).zip(c.0.iter_mut()).enumerate() {
        let colours = taps.group(index);
        colours[order[0]].store(a);
        colours[order[1]].store(b);
        colours[order[2]].store(c);
    }
    if !a.1.is_empty() {
        let colours = taps.group(groups);
        for (plane, colour) in planes.iter_mut().zip(order) {
            plane.1.copy_from_slice(&colours[colour].to_array()[..plan.width % 4]);
        }
    }
}

#[inline(always)]
fn interleaved<const BGR: bool>(taps: &Taps, row: &mut [f32]) {
    let group = |index: usize| {
        let [r, g, b] = taps.group(index);
        F32x4::interleave(if BGR { [b, g, r] } else { [r, g, b] })
    };
    let (blocks, tail) = row.as_chunks_mut::<12>();
    let groups = blocks.len();
    for (index, block) in blocks.iter_mut().enumerate() {
        let (vectors, _) = block.as_chunks_mut::<4>();
        for (vector, values) in vectors.iter_mut().zip(group(index)) {
            values.store(vector);
        }
    }
    if !tail.is_empty() {
        let values = group(groups).map(F32x4::to_array);
        tail.copy_from_slice(&values.as_flattened()[..tail.len()]);
    }
}

#[cfg(test)]
#[path = "letterbox_tests.rs"]
mod tests;
