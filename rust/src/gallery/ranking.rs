//! The best k of a scan, kept sorted: almost no row gets in, so an insertion is rare.

/// Scores fall; a slot stands at the place of its score. Unused places have the score that a row
/// must exceed, so the last place is always the bar.
pub struct Ranking<'a> {
    pub scores: &'a mut [f32],
    pub slots: &'a mut [u32],
}

impl Ranking<'_> {
    /// What the next row must exceed.
    #[inline(always)]
    pub fn bar(&self) -> f32 {
        self.scores[self.scores.len() - 1]
    }

    /// Takes the row in if it exceeds the bar; the last one falls out.
    #[inline(never)]
    pub fn offer(&mut self, score: f32, slot: u32) {
        let mut at = self.scores.len() - 1;
        // Not `<=`: a NaN stays out.
        if !(score > self.scores[at]) {
            return;
        }
        while at > 0 && self.scores[at - 1] < score {
            self.scores[at] = self.scores[at - 1];
            self.slots[at] = self.slots[at - 1];
            at -= 1;
        }
        self.scores[at] = score;
        self.slots[at] = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_best_in_order_and_equals_as_they_came() {
        let (mut scores, mut slots) = ([0.25; 3], [u32::MAX; 3]);
        let mut ranking = Ranking { scores: &mut scores, slots: &mut slots };
        for (slot, score) in [0.5, 0.25, f32::NAN, 0.75, 0.5, 0.5, 1.0].into_iter().enumerate() {
            ranking.offer(score, slot as u32);
        }
        assert_eq!((scores, slots), ([1.0, 0.75, 0.5], [6, 3, 0]));
    }
}
