//! Panels of int8: `[group of dimensions][row][dimension]`, eight rows a panel, with a scale a row.
//!
//! A scan in a quarter of the bytes, whose best candidates are computed again from f32 rows. How many
//! dimensions form a group, and how a query is packed, is the matter of the instruction that
//! multiplies: see `simd_int8.rs`.

use super::ranking::Ranking;
use super::{PANEL, QUERIES};
use crate::gallery::float_panels::{offer, offer_pair, pairs};
use crate::simd::{F32x4, U32x4};
use crate::simd_int8::{GROUP, LEVELS, QueryGroup, RowGroup, dot_add, pack_query, row_start};

/// A group of dimensions of eight rows, as two times four rows.
pub type Column = [RowGroup; 2];

/// What a panel needs besides its bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PanelNumbers {
    /// Size of one step of each row.
    pub scales: [f32; PANEL],
    /// Where each row's sum starts.
    pub starts: [u32; PANEL],
}

/// Groups that `dimensions` fill.
pub fn groups(dimensions: usize) -> usize {
    dimensions.div_ceil(GROUP)
}

/// Writes a row into lane `lane` of a panel.
pub fn put(row: &[f32], lane: usize, panel: &mut [Column], numbers: &mut PanelNumbers) {
    let step = largest(row) / 127.0;
    let mut sum = 0;
    for (group, column) in panel.iter_mut().enumerate() {
        for i in 0..GROUP {
            let level = row.get(GROUP * group + i).map_or(0, |&value| nearest(value / step) as i8);
            column[lane / 4][lane % 4 * GROUP + i] = level;
            sum += i32::from(level);
        }
    }
    numbers.scales[lane] = step;
    numbers.starts[lane] = row_start(sum);
}

/// Writes a query: `packed[group]`, a `stride` apart. Its scale is left out, as it moves no rank.
pub fn pack(query: &[f32], packed: &mut [QueryGroup], stride: usize) {
    let step = largest(query) / LEVELS;
    for (group, packed) in packed.chunks_mut(stride).enumerate() {
        let level = |i: usize| query.get(GROUP * group + i).map_or(0, |&value| nearest(value / step));
        packed[0] = pack_query(core::array::from_fn(level));
    }
}

fn largest(row: &[f32]) -> f32 {
    row.iter().fold(f32::MIN_POSITIVE, |largest, value| if value.abs() > largest { value.abs() } else { largest })
}

fn nearest(value: f32) -> i32 {
    (value + if value < 0.0 { -0.5 } else { 0.5 }) as i32
}

/// Ranks as `float_panels::match_one` does, by the quantised products.
pub fn match_one(
    panels: &[Column],
    numbers: &[PanelNumbers],
    rows: usize,
    query: &[QueryGroup],
    first_slot: u32,
    ranking: &mut Ranking,
) {
    let panel = |index: usize| &panels[index * query.len()..(index + 1) * query.len()];
    for [index, other] in pairs(rows.div_ceil(PANEL)) {
        let [mut a, mut b] = [starts(&numbers[index]), starts(&numbers[other])];
        for ((first, second), query) in panel(index).iter().zip(panel(other)).zip(query) {
            a = [dot_add(a[0], &first[0], query), dot_add(a[1], &first[1], query)];
            b = [dot_add(b[0], &second[0], query), dot_add(b[1], &second[1], query)];
        }
        let ([a0, a1], [b0, b1]) = (scaled(a, &numbers[index]), scaled(b, &numbers[other]));
        offer_pair(&[a0, a1, b0, b1], [index, other], rows, first_slot, ranking);
    }
}

/// Ranks as `float_panels::match_four` does, by the quantised products.
pub fn match_four(
    panels: &[Column],
    numbers: &[PanelNumbers],
    rows: usize,
    queries: &[[QueryGroup; QUERIES]],
    first_slot: u32,
    rankings: &mut [Ranking; QUERIES],
) {
    let count = rows.div_ceil(PANEL);
    for (index, (panel, numbers)) in panels.chunks_exact(queries.len()).zip(numbers).take(count).enumerate() {
        let [mut a, mut b, mut c, mut d] = [starts(numbers); QUERIES];
        for ([low, high], query) in panel.iter().zip(queries) {
            a = [dot_add(a[0], low, &query[0]), dot_add(a[1], high, &query[0])];
            b = [dot_add(b[0], low, &query[1]), dot_add(b[1], high, &query[1])];
            c = [dot_add(c[0], low, &query[2]), dot_add(c[1], high, &query[2])];
            d = [dot_add(d[0], low, &query[3]), dot_add(d[1], high, &query[3])];
        }
        let first_row = index * PANEL;
        for (sums, ranking) in [a, b, c, d].into_iter().zip(rankings.iter_mut()) {
            offer(&scaled(sums, numbers), rows - first_row, first_slot + first_row as u32, ranking);
        }
    }
}

#[inline(always)]
fn starts(numbers: &PanelNumbers) -> [U32x4; 2] {
    let [a, b, c, d, e, f, g, h] = numbers.starts;
    [U32x4::from_array([a, b, c, d]), U32x4::from_array([e, f, g, h])]
}

#[inline(always)]
fn scaled(sums: [U32x4; 2], numbers: &PanelNumbers) -> [F32x4; 2] {
    let scales = numbers.scales.as_chunks::<4>().0;
    [sums[0].signed_to_float() * F32x4::load(&scales[0]), sums[1].signed_to_float() * F32x4::load(&scales[1])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    #[test]
    fn ranks_by_nearly_the_exact_products_one_query_or_four() {
        let mut random = Samples::new(32);
        for (count, dimensions) in [(1, 1), (7, 3), (8, 4), (9, 5), (17, 64), (40, 127)] {
            let mut signed = |length: usize| random.units(length).iter().map(|x| x - 0.5).collect::<Vec<f32>>();
            let rows = signed(count * dimensions);
            let query = signed(dimensions);
            let none = PanelNumbers { scales: [9.0; PANEL], starts: [0; PANEL] };
            let mut numbers = vec![none; count.div_ceil(PANEL)];
            let mut panels = vec![[[7; 4 * GROUP]; 2]; numbers.len() * groups(dimensions)];
            for (row, values) in rows.chunks(dimensions).enumerate() {
                let panel = panels.chunks_mut(groups(dimensions)).nth(row / PANEL).unwrap();
                put(values, row % PANEL, panel, &mut numbers[row / PANEL]);
            }
            let mut packed = vec![[0; QUERIES]; groups(dimensions)];
            pack(&query, &mut packed.as_flattened_mut()[2..], QUERIES);
            let (mut scores, mut slots) = (vec![f32::NEG_INFINITY; 4 * count], vec![0; 4 * count]);
            let rankings = scores.chunks_mut(count).zip(slots.chunks_mut(count));
            let mut rankings: Vec<Ranking> = rankings.map(|(scores, slots)| Ranking { scores, slots }).collect();
            match_four(&panels, &numbers, count, &packed, 0, rankings.as_mut_slice().try_into().unwrap());
            let mut single = vec![0; groups(dimensions)];
            pack(&query, &mut single, 1);
            let (mut one, mut at) = (vec![f32::NEG_INFINITY; count], vec![0; count]);
            match_one(&panels, &numbers, count, &single, 0, &mut Ranking { scores: &mut one, slots: &mut at });
            assert_eq!((&scores[2 * count..3 * count], &slots[2 * count..3 * count]), (&one[..], &at[..]));
            let step = largest(&query) / LEVELS;
            for (score, slot) in one.iter().zip(at) {
                let row = &rows[slot as usize * dimensions..][..dimensions];
                let exact: f32 = row.iter().zip(&query).map(|(x, y)| x * y).sum();
                assert!((score * step - exact).abs() < 0.01 * dimensions as f32, "{} {exact}", score * step);
            }
        }
    }
}
