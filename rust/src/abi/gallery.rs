//! Matching against a gallery in the module `vectors`.
//!
//! A ranking is `scores[k]` and `slots[k]`; those of four queries follow each other.

use super::{input, output};
use crate::gallery::int8_panels::{self, Column, PanelNumbers};
use crate::gallery::ranking::Ranking;
use crate::gallery::sketch::{self, Sketch};
use crate::gallery::{PANEL, QUERIES, float_panels, rows};
use crate::simd_int8::QueryGroup;

/// # Safety
/// As `output`, for `k` elements at both addresses.
unsafe fn ranking<'a>(scores: *mut f32, slots: *mut u32, k: usize) -> Ranking<'a> {
    // SAFETY: passed on to the caller.
    unsafe { Ranking { scores: output(scores, k), slots: output(slots, k) } }
}

/// # Safety
/// As `output`, for `4 * k` elements at both addresses.
unsafe fn rankings<'a>(scores: *mut f32, slots: *mut u32, k: usize) -> [Ranking<'a>; QUERIES] {
    // SAFETY: passed on to the caller; the four don't overlap.
    [0, 1, 2, 3].map(|query| unsafe { ranking(scores.add(query * k), slots.add(query * k), k) })
}

/// [`float_panels::match_one`]: `panels[rows, up to a whole panel, * dimensions]`, `query[dimensions]`.
#[unsafe(no_mangle)]
pub extern "C" fn float_match_one(
    panels: *const [f32; PANEL],
    rows: usize,
    query: *const f32,
    dimensions: usize,
    first_slot: u32,
    scores: *mut f32,
    slots: *mut u32,
    k: usize,
) {
    // SAFETY: the contract.
    unsafe {
        let panels = input(panels, rows.div_ceil(PANEL) * dimensions);
        float_panels::match_one(panels, rows, input(query, dimensions), first_slot, &mut ranking(scores, slots, k));
    }
}

/// [`float_panels::match_four`]: `queries[dimensions * 4]`, four rankings.
#[unsafe(no_mangle)]
pub extern "C" fn float_match_four(
    panels: *const [f32; PANEL],
    rows: usize,
    queries: *const [f32; QUERIES],
    dimensions: usize,
    first_slot: u32,
    scores: *mut f32,
    slots: *mut u32,
    k: usize,
) {
    // SAFETY: the contract.
    unsafe {
        let panels = input(panels, rows.div_ceil(PANEL) * dimensions);
        let queries = input(queries, dimensions);
        float_panels::match_four(panels, rows, queries, first_slot, &mut rankings(scores, slots, k));
    }
}

/// [`int8_panels::groups`].
#[unsafe(no_mangle)]
pub extern "C" fn int8_groups(dimensions: usize) -> usize {
    int8_panels::groups(dimensions)
}

/// [`int8_panels::put`]: `row[dimensions]` into a panel of `groups` columns.
#[unsafe(no_mangle)]
pub extern "C" fn int8_put(
    row: *const f32,
    dimensions: usize,
    lane: usize,
    panel: *mut Column,
    numbers: *mut PanelNumbers,
) {
    // SAFETY: the contract; any bits are a valid Column and valid PanelNumbers.
    unsafe {
        let panel = output(panel, int8_panels::groups(dimensions));
        int8_panels::put(input(row, dimensions), lane, panel, &mut output(numbers, 1)[0]);
    }
}

/// [`int8_panels::pack`]: `query[dimensions]` into `packed[groups * stride]`, less what precedes it.
#[unsafe(no_mangle)]
pub extern "C" fn int8_pack(query: *const f32, dimensions: usize, packed: *mut QueryGroup, stride: usize) {
    let length = (int8_panels::groups(dimensions) - 1) * stride + 1;
    // SAFETY: the contract.
    unsafe { int8_panels::pack(input(query, dimensions), output(packed, length), stride) }
}

/// [`int8_panels::match_one`]: `panels[panels * groups]`, `numbers[panels]`, `query[groups]`.
#[unsafe(no_mangle)]
pub extern "C" fn int8_match_one(
    panels: *const Column,
    numbers: *const PanelNumbers,
    rows: usize,
    query: *const QueryGroup,
    groups: usize,
    first_slot: u32,
    scores: *mut f32,
    slots: *mut u32,
    k: usize,
) {
    let count = rows.div_ceil(PANEL);
    // SAFETY: the contract.
    unsafe {
        let (panels, numbers, query) = (input(panels, count * groups), input(numbers, count), input(query, groups));
        int8_panels::match_one(panels, numbers, rows, query, first_slot, &mut ranking(scores, slots, k));
    }
}

/// [`int8_panels::match_four`]: `queries[groups * 4]`, four rankings.
#[unsafe(no_mangle)]
pub extern "C" fn int8_match_four(
    panels: *const Column,
    numbers: *const PanelNumbers,
    rows: usize,
    queries: *const [QueryGroup; QUERIES],
    groups: usize,
    first_slot: u32,
    scores: *mut f32,
    slots: *mut u32,
    k: usize,
) {
    let count = rows.div_ceil(PANEL);
    // SAFETY: the contract.
    unsafe {
        let (panels, numbers, queries) = (input(panels, count * groups), input(numbers, count), input(queries, groups));
        int8_panels::match_four(panels, numbers, rows, queries, first_slot, &mut rankings(scores, slots, k));
    }
}

/// [`sketch::sketch`] of `work[length]`.
#[unsafe(no_mangle)]
pub extern "C" fn sketch(work: *mut f32, length: usize, sketch: *mut Sketch) {
    // SAFETY: the contract.
    unsafe { output(sketch, 1)[0] = sketch::sketch(output(work, length)) }
}

/// [`sketch::match_one`]: `sketches[rows]`.
#[unsafe(no_mangle)]
pub extern "C" fn sketch_match_one(
    sketches: *const Sketch,
    rows: usize,
    query: *const Sketch,
    first_slot: u32,
    scores: *mut f32,
    slots: *mut u32,
    k: usize,
) {
    // SAFETY: the contract.
    unsafe {
        let query = &input(query, 1)[0];
        sketch::match_one(input(sketches, rows), query, first_slot, &mut ranking(scores, slots, k));
    }
}

/// [`rows::rescore`]: `table[rows * length]`, `query[length]`, `candidates[count]`.
#[unsafe(no_mangle)]
pub extern "C" fn rescore(
    table: *const f32,
    rows: usize,
    query: *const f32,
    length: usize,
    first_slot: u32,
    candidates: *const u32,
    count: usize,
    scores: *mut f32,
    slots: *mut u32,
    k: usize,
) {
    // SAFETY: the contract.
    unsafe {
        let (table, query, candidates) = (input(table, rows * length), input(query, length), input(candidates, count));
        rows::rescore(table, query, first_slot, candidates, &mut ranking(scores, slots, k));
    }
}
