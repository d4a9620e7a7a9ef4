//! f32 rows one after the other, for comparing the candidates of a coarser scan exactly.

use super::ranking::Ranking;
use crate::simd::F32x4;

/// Ranks the candidates whose slots lie in these rows, which have slots from `first_slot` on. Rows and
/// query are padded with zeros to a whole number of eights.
pub fn rescore(rows: &[f32], query: &[f32], first_slot: u32, candidates: &[u32], ranking: &mut Ranking) {
    for &slot in candidates {
        let start = slot.wrapping_sub(first_slot) as usize * query.len();
        if slot >= first_slot
            && let Some(row) = rows.get(start..start + query.len())
        {
            ranking.offer(dot(row, query), slot);
        }
    }
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [F32x4::splat(0.0); 2];
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        let ((a0, a1), (b0, b1)) = (a.split_at(4), b.split_at(4));
        for (sum, (a, b)) in sums.iter_mut().zip([(a0, b0), (a1, b1)]) {
            *sum = *sum + F32x4::load(a.try_into().expect("four")) * F32x4::load(b.try_into().expect("four"));
        }
    }
    (sums[0] + sums[1]).to_array().iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_the_candidates_of_these_rows_alone() {
        let rows: Vec<f32> = (0..5).flat_map(|row| (0..8).map(move |d| if d == row { 1.0 } else { 0.5 })).collect();
        let query = [0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let (mut scores, mut slots) = ([f32::NEG_INFINITY; 3], [9; 3]);
        let mut ranking = Ranking { scores: &mut scores, slots: &mut slots };
        rescore(&rows, &query, 10, &[11, 12, 14, 9, 15, u32::MAX], &mut ranking);
        assert_eq!((scores, slots), ([2.5, 2.0, 1.5], [12, 11, 14]));
    }
}
