//! Sketches of 512 bits: signs of a random rotation of the vector. Their Hamming distance grows with
//! the angle (Charikar, "Similarity Estimation Techniques from Rounding Algorithms", 2002).
//!
//! The rotation flips signs by a fixed pseudo-random sequence, then takes the Walsh-Hadamard
//! transform, which needs `n log n` additions and no matrix (Ailon and Chazelle, 2006).

use super::ranking::Ranking;

/// Words of a sketch.
pub const WORDS: usize = 8;

/// A row's sketch.
pub type Sketch = [u64; WORDS];

/// The sketch of a vector that is the start of `work`, the rest of which is zero. `work.len()` is a
/// power of two, at least 512; it is overwritten.
pub fn sketch(work: &mut [f32]) -> Sketch {
    let mut random = 1u32;
    for value in &mut *work {
        // Knuth's linear congruential sequence; its highest bit is the most random one.
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if random >> 31 == 1 {
            *value = -*value;
        }
    }
    let mut half = work.len() / 2;
    while half > 0 {
        for block in work.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half /= 2;
    }
    let mut bits = [0; WORDS];
    for (i, &value) in work[..64 * WORDS].iter().enumerate() {
        bits[i / 64] |= u64::from(value < 0.0) << (i % 64);
    }
    bits
}

/// Ranks the sketches, which have slots from `first_slot` on, by the bits they share with the query's.
pub fn match_one(sketches: &[Sketch], query: &Sketch, first_slot: u32, ranking: &mut Ranking) {
    let mut bar = ranking.bar();
    for (slot, sketch) in (first_slot..).zip(sketches) {
        let differ: u64 = sketch.iter().zip(query).map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
        let score = -(differ as f32);
        if score > bar {
            ranking.offer(score, slot);
            bar = ranking.bar();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    fn of(vector: &[f32]) -> Sketch {
        let mut work = vec![0.0; vector.len().next_power_of_two().max(512)];
        work[..vector.len()].copy_from_slice(vector);
        sketch(&mut work)
    }

    #[test]
    fn the_nearest_by_angle_shares_the_most_bits() {
        let mut random = Samples::new(33);
        for dimensions in [16, 100, 512, 1280] {
            let rows: Vec<Vec<f32>> = (0..50).map(|_| random.units(dimensions)).collect();
            let sketches: Vec<Sketch> = rows.iter().map(|row| of(row)).collect();
            let query: Vec<f32> = rows[31].iter().map(|x| 3.0 * x + 0.01).collect();
            let (mut scores, mut slots) = ([-513.0; 2], [0; 2]);
            match_one(&sketches, &of(&query), 7, &mut Ranking { scores: &mut scores, slots: &mut slots });
            assert_eq!(slots[0], 7 + 31, "{scores:?}");
            assert!(scores[0] > scores[1]);
        }
    }
}
