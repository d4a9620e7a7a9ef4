//! Intersection over union of every box with every other one.
//!
//! ```text
//! overlap = width * height of the common part, 0 where there is none
//! iou     = overlap / (area of a + area of b - overlap), 0 for 0 / 0
//! ```
//! Four others at a time: turned into lanes once, then compared with all boxes. The last four come
//! first, because what they write past the end of a row is the start of the next, written later.

use crate::simd::F32x4;

/// How far the last row is written past its end.
pub const OVERRUN: usize = 3;

/// Writes `out[boxes, columns]` and [`OVERRUN`] more. Boxes are `x1, y1, x2, y2`; `others` are `columns` boxes,
/// filled up to whole fours with anything. An inverted box has the area 0. A box with a NaN, or whose area is
/// infinite, has 0 with every other.
pub fn box_iou(boxes: &[[f32; 4]], others: &[[[f32; 4]; 4]], columns: usize, out: &mut [f32]) {
    for (group, [a, b, c, d]) in others.iter().enumerate().rev() {
        let lanes = Sides([0, 1, 2, 3].map(|side| F32x4::load(&[a[side], b[side], c[side], d[side]])));
        let area = lanes.area();
        for (row, given) in boxes.iter().enumerate() {
            let iou = Sides(given.map(F32x4::splat)).iou(&lanes, area);
            iou.store(out[row * columns + 4 * group..].first_chunk_mut().expect("room for four"));
        }
    }
}

/// `x1, y1, x2, y2` of four boxes.
struct Sides([F32x4; 4]);

impl Sides {
    #[inline(always)]
    fn area(&self) -> F32x4 {
        let zero = F32x4::splat(0.0);
        let [x1, y1, x2, y2] = self.0;
        zero.greater(x2 - x1) * zero.greater(y2 - y1)
    }

    #[inline(always)]
    fn iou(&self, other: &Self, area: F32x4) -> F32x4 {
        let [x1, y1, x2, y2] = other.0;
        let common = Self([self.0[0].greater(x1), self.0[1].greater(y1), self.0[2].lesser(x2), self.0[3].lesser(y2)]);
        // A NaN in `other` loses against this box's side, as if it were no limit; its area, 0, is one.
        let overlap = common.area().lesser(area);
        let union = (self.area() + area) - overlap;
        F32x4::splat(0.0).greater(overlap / union)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    fn naive(a: [f32; 4], b: [f32; 4]) -> f32 {
        let area = |[x1, y1, x2, y2]: [f32; 4]| (x2 - x1).max(0.0) * (y2 - y1).max(0.0);
        let overlap = area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
        if overlap > 0.0 { overlap / (area(a) + area(b) - overlap) } else { 0.0 }
    }

    fn run(boxes: &[[f32; 4]], others: &[[f32; 4]]) -> Vec<f32> {
        let mut fours = others.to_vec();
        fours.resize(others.len().next_multiple_of(4), [0.0, 0.0, 9.0, 9.0]);
        let mut out = vec![9.0; boxes.len() * others.len() + OVERRUN];
        box_iou(boxes, fours.as_chunks().0, others.len(), &mut out);
        out.truncate(boxes.len() * others.len());
        out
    }

    #[test]
    fn agrees_with_the_naive_loop() {
        let mut random = Samples::new(23);
        let mut some = |count: usize| -> Vec<[f32; 4]> {
            (0..count)
                .map(|_| {
                    // Now and then inverted or empty.
                    let [x, y, w, h] = core::array::from_fn(|_| random.unit() * 20.0);
                    [x, y, x + w - 2.0, y + h.floor() - 1.0]
                })
                .collect()
        };
        for n in [0, 1, 3, 4, 5, 101] {
            for m in [0, 1, 2, 3, 4, 5, 7, 101] {
                let (boxes, others) = (some(n), some(m));
                let expected: Vec<f32> = boxes.iter().flat_map(|&a| others.iter().map(move |&b| naive(a, b))).collect();
                assert_eq!(run(&boxes, &others), expected, "{n} x {m}");
            }
        }
    }

    #[test]
    fn a_box_equals_itself_and_an_empty_one_nothing() {
        let boxes = [[1.0, 2.0, 4.0, 6.0], [3.0; 4], [4.0, 6.0, 1.0, 2.0]];
        assert_eq!(run(&boxes, &boxes), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_box_with_a_nan_or_an_infinite_area_has_0_with_all() {
        let unit = [0.0, 0.0, 1.0, 1.0];
        let huge = [-3e38, -3e38, 3e38, 3e38];
        let endless = [f32::NEG_INFINITY, 0.0, f32::INFINITY, 0.0];
        let mut boxes = vec![unit, huge, endless];
        boxes.extend((0..4).map(|side| core::array::from_fn(|i| if i == side { f32::NAN } else { unit[i] })));
        let got = run(&boxes, &boxes);
        assert_eq!(got[0], 1.0);
        assert!(got[1..].iter().all(|&iou| iou == 0.0), "{got:?}");
    }
}
