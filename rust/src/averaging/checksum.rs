//! A checksum of an update's bytes, for what a connection spoils: as fast as memory gives them.
//!
//! Thirty-two sums side by side, each `sum = sum * FACTOR + word` over every thirty-second word. The
//! factor is odd, so a step loses nothing: a change of one word always shows, one of several with a
//! chance of 2^-32 not. Eight vectors keep the multiplier busy. Against who forges, it is no defence.

use crate::simd::U32x4;

/// Bytes of a stripe: a word for each of the sums.
pub const STRIPE: usize = 128;

const FACTOR: u32 = 0x9e37_79b1;

/// Goes on with `sums` over whole stripes.
pub fn add(sums: &mut [u32; 32], stripes: &[[u8; STRIPE]]) {
    let factor = U32x4::splat(FACTOR);
    let mut vectors: [U32x4; 8] = core::array::from_fn(|i| {
        U32x4::from_array([sums[4 * i], sums[4 * i + 1], sums[4 * i + 2], sums[4 * i + 3]])
    });
    for stripe in stripes {
        for (vector, bytes) in vectors.iter_mut().zip(stripe.as_chunks::<16>().0) {
            *vector = *vector * factor + U32x4::load_bytes(bytes);
        }
    }
    for (vector, sums) in vectors.iter().zip(sums.as_chunks_mut::<4>().0) {
        *sums = vector.to_array();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    fn plain(stripes: &[[u8; STRIPE]]) -> [u32; 32] {
        let mut sums = [7; 32];
        for stripe in stripes {
            for (sum, word) in sums.iter_mut().zip(stripe.as_chunks::<4>().0) {
                *sum = u32::wrapping_add(u32::wrapping_mul(*sum, FACTOR), u32::from_le_bytes(*word));
            }
        }
        sums
    }

    fn stripes(count: usize) -> Vec<[u8; STRIPE]> {
        let mut random = Samples::new(31);
        (0..count).map(|_| core::array::from_fn(|_| random.next() as u8)).collect()
    }

    #[test]
    fn agrees_with_a_plain_loop() {
        for count in [0, 1, 2, 33] {
            let stripes = stripes(count);
            let mut sums = [7; 32];
            add(&mut sums, &stripes);
            assert_eq!(sums, plain(&stripes));
        }
    }

    #[test]
    fn shows_every_flipped_bit() {
        let good = stripes(3);
        let right = plain(&good);
        for bit in 0..8 * 3 * STRIPE {
            let mut spoilt = good.clone();
            spoilt[bit / (8 * STRIPE)][bit / 8 % STRIPE] ^= 1 << (bit % 8);
            let mut sums = [7; 32];
            add(&mut sums, &spoilt);
            assert_ne!(sums, right);
        }
    }
}
