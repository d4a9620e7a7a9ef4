//! The module `tracking`: what follows what moves.

use super::{input, output};
use crate::{assignment, box_iou, frame_difference};

/// [`box_iou::box_iou`]: `boxes[rows]`, `others[columns, up to whole fours]`, `out[rows * columns + OVERRUN]`.
#[unsafe(no_mangle)]
pub extern "C" fn box_iou(
    boxes: *const [f32; 4],
    rows: usize,
    others: *const [[f32; 4]; 4],
    columns: usize,
    out: *mut f32,
) {
    // SAFETY: the contract.
    unsafe {
        let out = output(out, rows * columns + box_iou::OVERRUN);
        box_iou::box_iou(input(boxes, rows), input(others, columns.div_ceil(4)), columns, out);
    }
}

/// [`assignment::assign`]: `cost[rows * columns]`, `prices[rows]`, `column_of_row[rows]`; `work` has 32
/// bytes a column.
#[unsafe(no_mangle)]
pub extern "C" fn assign(
    cost: *const f32,
    rows: usize,
    columns: usize,
    limit: f64,
    prices: *mut f64,
    work: *mut assignment::Column,
    column_of_row: *mut u32,
) {
    // SAFETY: the contract; any bits are a valid Column.
    unsafe {
        let (prices, work) = (output(prices, rows), output(work, columns));
        assignment::assign(input(cost, rows * columns), limit, prices, work, output(column_of_row, rows));
    }
}

/// [`frame_difference::cell_luma`]: `source[rows * width * 4 + OVERRUN]`, `columns[width, up to four]`,
/// `sums[width / cell, rounded up]`.
#[unsafe(no_mangle)]
pub extern "C" fn cell_luma(
    source: *const u8,
    width: usize,
    rows: usize,
    cell: usize,
    columns: *mut u32,
    sums: *mut u32,
) {
    // SAFETY: the contract.
    unsafe {
        let source = input(source, rows * width * 4 + frame_difference::OVERRUN);
        let columns = output(columns, width.next_multiple_of(4));
        frame_difference::cell_luma(source, width, rows, cell, columns, output(sums, width.div_ceil(cell)));
    }
}
