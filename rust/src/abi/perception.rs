//! The module `perception`: what a camera's frames go through before and after a model.

use super::{input, output};
use crate::letterbox::{Layout, Plan, RowTaps};
use crate::top_class::Kept;
use crate::{cross_entropy, gfl, heatmap, ibt, letterbox, nms, threshold, top_class};

/// [`ibt::ibt`]: `offsets[images + 1]`, `hard[images]`.
#[unsafe(no_mangle)]
pub extern "C" fn ibt(
    scores: *const f32,
    offsets: *const u32,
    images: usize,
    threshold_box: f32,
    share: f64,
    hard: *mut u8,
) {
    // SAFETY: the contract; the scores end where the last offset says.
    unsafe {
        let offsets = input(offsets, images + 1);
        let scores = input(scores, (offsets[images] - offsets[0]) as usize);
        ibt::ibt(scores, offsets, threshold_box, share, output(hard, images));
    }
}

/// [`threshold::threshold`]: `offsets[images + 1]`, `hard[images]`.
#[unsafe(no_mangle)]
pub extern "C" fn threshold(scores: *const f32, offsets: *const u32, images: usize, threshold: f64, hard: *mut u8) {
    // SAFETY: the contract; the scores end where the last offset says.
    unsafe {
        let offsets = input(offsets, images + 1);
        let scores = input(scores, (offsets[images] - offsets[0]) as usize);
        threshold::threshold(scores, offsets, threshold, output(hard, images));
    }
}

/// [`cross_entropy::cross_entropy`]: `probabilities[rows * classes]`, `confidences[rows]`.
#[unsafe(no_mangle)]
pub extern "C" fn cross_entropy(
    probabilities: *const f32,
    rows: usize,
    classes: usize,
    scale: f64,
    confidences: *mut f32,
) {
    // SAFETY: the contract.
    let (probabilities, confidences) = unsafe { (input(probabilities, rows * classes), output(confidences, rows)) };
    cross_entropy::cross_entropy(probabilities, classes, scale, confidences);
}

/// [`top_class::top_class`]: `scores[rows * classes]`; `index`, `label` and `score` have `rows`.
#[unsafe(no_mangle)]
pub extern "C" fn top_class(
    scores: *const f32,
    rows: usize,
    classes: usize,
    threshold: f32,
    index: *mut u32,
    label: *mut u32,
    score: *mut f32,
) -> usize {
    // SAFETY: the contract.
    let (scores, kept) = unsafe {
        let kept = Kept { index: output(index, rows), label: output(label, rows), score: output(score, rows) };
        (input(scores, rows * classes), kept)
    };
    top_class::top_class(scores, classes, threshold, kept)
}

/// [`gfl::gfl_decode`]: `distances[count * 4 * bins]`, `cells[count]`, `boxes[count * 4]`.
#[unsafe(no_mangle)]
pub extern "C" fn gfl_decode(
    distances: *const f32,
    cells: *const u32,
    count: usize,
    bins: usize,
    stride: f32,
    grid_width: u32,
    boxes: *mut f32,
) {
    // SAFETY: the contract.
    let (distances, cells, boxes) =
        unsafe { (input(distances, count * 4 * bins), input(cells, count), output(boxes, count * 4)) };
    gfl::gfl_decode(distances, cells, bins, stride, grid_width, boxes);
}

/// [`heatmap::heatmap_peaks`]: `heatmap[height * width]`, `cells[height * width]`.
#[unsafe(no_mangle)]
pub extern "C" fn heatmap_peaks(
    heatmap: *const f32,
    height: usize,
    width: usize,
    threshold: f32,
    cells: *mut u32,
) -> usize {
    // SAFETY: the contract.
    let (heatmap, cells) = unsafe { (input(heatmap, height * width), output(cells, height * width)) };
    heatmap::heatmap_peaks(heatmap, width, threshold, cells)
}

/// [`nms::nms`]: `boxes[count * 4]`, `scores[count]`, `labels[count]`, `kept[most]`; `groups` has
/// 128 bytes for every four boxes.
#[unsafe(no_mangle)]
pub extern "C" fn nms(
    boxes: *const [f32; 4],
    scores: *const f32,
    labels: *const u32,
    count: usize,
    iou: f32,
    groups: *mut nms::Group,
    kept: *mut u32,
    most: usize,
) -> usize {
    // SAFETY: the contract; any bits are a valid Group.
    unsafe {
        let groups = output(groups, count.div_ceil(4));
        nms::nms(input(boxes, count), input(scores, count), input(labels, count), iou, groups, output(kept, most))
    }
}

/// What [`image_to_tensor`] reads: the fields of [`Plan`], as addresses and 32-bit numbers in
/// this order.
#[repr(C)]
pub struct PlanFields {
    columns: *const [u32; 4],
    horizontal: *const [f32; 4],
    rows: *const RowTaps,
    vertical: *const f32,
    width: u32,
    height: u32,
    left: u32,
    top: u32,
    tensor_width: u32,
    tensor_height: u32,
    /// 0 planar, 1 interleaved.
    interleaved: u32,
    /// 0 red first, 1 blue first.
    bgr: u32,
    scale: [f32; 3],
    bias: [f32; 3],
}

/// [`letterbox::image_to_tensor`]: `source[source_bytes]`, `tensor[3 * tensor_height * tensor_width]`.
#[unsafe(no_mangle)]
pub extern "C" fn image_to_tensor(
    plan: *const PlanFields,
    source: *const u8,
    source_bytes: usize,
    row_bytes: usize,
    tensor: *mut f32,
) {
    // SAFETY: the contract; `columns` and `horizontal` have `width` elements rounded up to four,
    // `rows` and `vertical` have `height`.
    let (plan, source, tensor) = unsafe {
        let fields = &*plan;
        let (width, height) = (fields.width as usize, fields.height as usize);
        let plan = Plan {
            columns: input(fields.columns, width.div_ceil(4)),
            horizontal: input(fields.horizontal, width.div_ceil(4)),
            rows: input(fields.rows, height),
            vertical: input(fields.vertical, height),
            scale: fields.scale,
            bias: fields.bias,
            width,
            left: fields.left as usize,
            top: fields.top as usize,
            tensor_width: fields.tensor_width as usize,
            tensor_height: fields.tensor_height as usize,
            layout: match (fields.interleaved, fields.bgr) {
                (0, 0) => Layout::PlanarRgb,
                (0, _) => Layout::PlanarBgr,
                (_, 0) => Layout::InterleavedRgb,
                _ => Layout::InterleavedBgr,
            },
        };
        let size = 3 * plan.tensor_width * plan.tensor_height;
        (plan, input(source, source_bytes), output(tensor, size))
    };
    letterbox::image_to_tensor(&plan, source, row_bytes, tensor);
}
