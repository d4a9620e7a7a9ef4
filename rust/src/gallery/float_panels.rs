//! Panels of f32: `[dimension][row]`, eight rows a panel.
//!
//! Every sum adds the products of its dimensions in order, so one query or many, and a plain loop,
//! give the same bits.

use super::ranking::Ranking;
use super::{PANEL, QUERIES};
use crate::simd::{F32x4, U32x4};

/// One panel's element: a dimension of eight rows.
type Column = [f32; PANEL];

/// Ranks `rows` rows of the panels, which have slots from `first_slot` on, for one query.
///
/// Two panels a turn, from the two halves of the gallery: a processor fetches two long streams ahead
/// faster than one, by a seventh from memory and by a quarter from the cache. (Two neighbouring panels, where
/// each stream jumps over the other's panel, take twice as long as one.)
pub fn match_one(panels: &[Column], rows: usize, query: &[f32], first_slot: u32, ranking: &mut Ranking) {
    let count = rows.div_ceil(PANEL);
    let panel = |index: usize| &panels[index * query.len()..(index + 1) * query.len()];
    for [index, other] in pairs(count) {
        let mut sums = [F32x4::splat(0.0); 4];
        for ((a, b), query) in panel(index).iter().zip(panel(other)).zip(query) {
            let query = F32x4::load_splat(query);
            let ([a0, a1], [b0, b1]) = (halves(a), halves(b));
            sums = [sums[0] + a0 * query, sums[1] + a1 * query, sums[2] + b0 * query, sums[3] + b1 * query];
        }
        offer_pair(&sums, [index, other], rows, first_slot, ranking);
    }
}

/// Panels of the first half with those of the second. Where one is left over, it is its own partner.
pub fn pairs(count: usize) -> impl Iterator<Item = [usize; 2]> {
    let half = count.div_ceil(2);
    (0..half).map(move |index| [index, if index + half < count { index + half } else { index }])
}

/// Offers the scores of two panels, or of one that is its own partner.
#[inline(always)]
pub fn offer_pair(sums: &[F32x4; 4], [a, b]: [usize; 2], rows: usize, first_slot: u32, ranking: &mut Ranking) {
    offer(&sums[..2], rows - a * PANEL, first_slot + (a * PANEL) as u32, ranking);
    if b != a {
        offer(&sums[2..], rows - b * PANEL, first_slot + (b * PANEL) as u32, ranking);
    }
}

#[inline(always)]
fn halves(column: &Column) -> [F32x4; 2] {
    let (low, high) = column.split_at(4);
    [F32x4::load(low.try_into().expect("four")), F32x4::load(high.try_into().expect("four"))]
}

/// Offers the scores of `sums`, four rows each, as long as there are rows.
#[inline(always)]
pub fn offer(sums: &[F32x4], rows: usize, first_slot: u32, ranking: &mut Ranking) {
    let bar = F32x4::splat(ranking.bar());
    let above = sums.iter().fold(U32x4::splat(0), |any, &sum| any | sum.is_gt(bar));
    if above.any() {
        for (i, sum) in sums.iter().enumerate() {
            for (lane, score) in sum.to_array().into_iter().enumerate() {
                if 4 * i + lane < rows {
                    ranking.offer(score, first_slot + (4 * i + lane) as u32);
                }
            }
        }
    }
}

/// As [`match_one`] for four queries, `queries[dimension][query]`: the panel stays in the L1 cache, and
/// eight sums, two loads and a splat at a time fit the registers.
pub fn match_four(
    panels: &[Column],
    rows: usize,
    queries: &[[f32; QUERIES]],
    first_slot: u32,
    rankings: &mut [Ranking; QUERIES],
) {
    for (index, panel) in panels.chunks_exact(queries.len()).take(rows.div_ceil(PANEL)).enumerate() {
        let sums = tile(panel, queries);
        let first_row = index * PANEL;
        for (sums, ranking) in sums.iter().zip(rankings.iter_mut()) {
            offer(sums, rows - first_row, first_slot + first_row as u32, ranking);
        }
    }
}

#[inline(always)]
fn tile(panel: &[Column], queries: &[[f32; QUERIES]]) -> [[F32x4; 2]; QUERIES] {
    let [mut a, mut b, mut c, mut d] = [[F32x4::splat(0.0); 2]; QUERIES];
    for (column, query) in panel.iter().zip(queries) {
        let [low, high] = halves(column);
        let splat = F32x4::load_splat(&query[0]);
        a = [a[0] + low * splat, a[1] + high * splat];
        let splat = F32x4::load_splat(&query[1]);
        b = [b[0] + low * splat, b[1] + high * splat];
        let splat = F32x4::load_splat(&query[2]);
        c = [c[0] + low * splat, c[1] + high * splat];
        let splat = F32x4::load_splat(&query[3]);
        d = [d[0] + low * splat, d[1] + high * splat];
    }
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    /// Rows as panels, the last one filled up with rows that would win.
    fn panels(rows: &[f32], dimensions: usize) -> Vec<Column> {
        let count = (rows.len() / dimensions).div_ceil(PANEL);
        let mut panels = vec![[9.0; PANEL]; count * dimensions];
        for (row, values) in rows.chunks(dimensions).enumerate() {
            for (d, &value) in values.iter().enumerate() {
                panels[row / PANEL * dimensions + d][row % PANEL] = value;
            }
        }
        panels
    }

    fn naive(rows: &[f32], query: &[f32], k: usize) -> Vec<(f32, u32)> {
        let dot = |row: &[f32]| row.iter().zip(query).fold(0.0, |sum, (x, y)| sum + x * y);
        let mut all: Vec<(f32, u32)> =
            rows.chunks(query.len()).enumerate().map(|(slot, row)| (dot(row), 70 + slot as u32)).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.truncate(k);
        all
    }

    #[test]
    fn one_query_and_four_agree_with_a_plain_loop_to_the_bit() {
        let mut random = Samples::new(31);
        for count in [1, 3, 7, 8, 9, 15, 16, 17, 24, 100] {
            for dimensions in [1, 2, 5, 64] {
                let mut signed = |length: usize| random.units(length).iter().map(|x| x - 0.5).collect::<Vec<f32>>();
                let rows = signed(count * dimensions);
                let queries: Vec<Vec<f32>> = (0..4).map(|_| signed(dimensions)).collect();
                let panels = panels(&rows, dimensions);
                let k = 5.min(count);
                let (mut scores, mut slots) = (vec![f32::NEG_INFINITY; 4 * k], vec![0; 4 * k]);
                let mut rankings: Vec<Ranking> = scores
                    .chunks_mut(k)
                    .zip(slots.chunks_mut(k))
                    .map(|(scores, slots)| Ranking { scores, slots })
                    .collect();
                let packed: Vec<[f32; 4]> = (0..dimensions).map(|d| [0, 1, 2, 3].map(|q: usize| queries[q][d])).collect();
                match_four(&panels, count, &packed, 70, rankings.as_mut_slice().try_into().unwrap());
                for (q, query) in queries.iter().enumerate() {
                    let expected = naive(&rows, query, k);
                    let (mut one_scores, mut one_slots) = (vec![f32::NEG_INFINITY; k], vec![0; k]);
                    match_one(&panels, count, query, 70, &mut Ranking { scores: &mut one_scores, slots: &mut one_slots });
                    for (i, (score, slot)) in expected.into_iter().enumerate() {
                        assert_eq!((one_scores[i], one_slots[i]), (score, slot));
                        assert_eq!((scores[q * k + i], slots[q * k + i]), (score, slot));
                    }
                }
            }
        }
    }
}
