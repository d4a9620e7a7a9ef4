use super::*;
use crate::samples::Samples;

const MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const STD: [f32; 3] = [58.395, 57.12, 57.375];

/// Position and weight of each of `count` samples along an axis of `size` pixels.
fn axis(count: usize, size: usize) -> Vec<(usize, f32)> {
    let at = |i: usize| ((i as f64 + 0.5) * size as f64 / count as f64 - 0.5).clamp(0.0, size as f64 - 1.0);
    let last = size.saturating_sub(2);
    (0..count).map(|i| ((at(i) as usize).min(last), (at(i) - at(i).floor().min(last as f64)) as f32)).collect()
}

struct Case {
    source: [usize; 2],
    content: [usize; 2],
    layout: Layout,
}

fn check(Case { source: [sw, sh], content: [width, height], layout }: Case) {
    let [left, top, tensor_width, tensor_height] = [2, 1, width + 3, height + 2];
    let mut random = Samples::new(19);
    let source: Vec<u8> = (0..sw * sh * 4 + 4).map(|_| random.next() as u8).collect();
    let (xs, ys) = (axis(width, sw), axis(height, sh));
    let mut columns = vec![[0; 4]; width.div_ceil(4)];
    let mut horizontal = vec![[0.0; 4]; width.div_ceil(4)];
    for (i, &(x, h)) in xs.iter().enumerate() {
        columns[i / 4][i % 4] = 4 * x as u32;
        horizontal[i / 4][i % 4] = h;
    }
    let plan = Plan {
        columns: &columns,
        horizontal: &horizontal,
        rows: &ys.iter().map(|&(y, _)| [y as u32, (y + 1).min(sh - 1) as u32]).collect::<Vec<_>>(),
        vertical: &ys.iter().map(|&(_, v)| v).collect::<Vec<_>>(),
        scale: STD.map(|std| 1.0 / std),
        bias: core::array::from_fn(|c| -MEAN[c] / STD[c]),
        width,
        left,
        top,
        tensor_width,
        tensor_height,
        layout,
    };
    let mut tensor = vec![77.0; 3 * tensor_width * tensor_height];
    image_to_tensor(&plan, &source, 4 * sw, &mut tensor);

    for y in 0..tensor_height {
        for x in 0..tensor_width {
            for c in 0..3 {
                let slot = match layout {
                    Layout::PlanarRgb => (c * tensor_height + y) * tensor_width + x,
                    Layout::PlanarBgr => ((2 - c) * tensor_height + y) * tensor_width + x,
                    Layout::InterleavedRgb => (y * tensor_width + x) * 3 + c,
                    Layout::InterleavedBgr => (y * tensor_width + x) * 3 + 2 - c,
                };
                if x < left || y < top || x >= left + width || y >= top + height {
                    assert_eq!(tensor[slot], 77.0, "the border is left alone");
                    continue;
                }
                let ((x0, h), (y0, v)) = (xs[x - left], ys[y - top]);
                let at = |dx: usize, dy: usize| {
                    let (x, y) = ((x0 + dx).min(sw - 1), (y0 + dy).min(sh - 1));
                    f64::from(source[(y * sw + x) * 4 + c])
                };
                let (h, v) = (f64::from(h), f64::from(v));
                let upper = at(0, 0) * (1.0 - h) + at(1, 0) * h;
                let lower = at(0, 1) * (1.0 - h) + at(1, 1) * h;
                let exact = (upper * (1.0 - v) + lower * v - f64::from(MEAN[c])) / f64::from(STD[c]);
                let error = (f64::from(tensor[slot]) - exact).abs() * f64::from(STD[c]);
                assert!(error < 3e-4, "{sw} x {sh}, ({x}, {y}) channel {c}: {error} of 255");
            }
        }
    }
}

#[test]
fn agrees_with_the_naive_loop_in_every_layout_and_tail() {
    for layout in [Layout::PlanarRgb, Layout::PlanarBgr, Layout::InterleavedRgb, Layout::InterleavedBgr] {
        for source in [[1, 1], [1, 5], [2, 1], [3, 4], [37, 19]] {
            for content in [[1, 1], [3, 2], [4, 3], [5, 5], [64, 36], [19, 37]] {
                check(Case { source, content, layout });
            }
        }
    }
}
