//! Repeatable test data.

/// A small linear congruential generator (Knuth's MMIX constants).
pub struct Samples(u64);

/// Lengths that reach every tail of a four-lane loop.
pub const AWKWARD: [usize; 9] = [0, 1, 2, 3, 4, 5, 7, 80, 1003];

impl Samples {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 7) as f32 / (1 << 24) as f32
    }

    /// `length` values, uniform in 0..1.
    pub fn units(&mut self, length: usize) -> Vec<f32> {
        (0..length).map(|_| self.unit()).collect()
    }
}
