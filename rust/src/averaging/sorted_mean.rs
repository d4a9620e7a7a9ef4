//! Mean of the middle of each coordinate's values over the clients: the trimmed mean and the median
//! (Yin et al., "Byzantine-Robust Distributed Learning", 2018).
//!
//! ```text
//! for each coordinate: sort the clients' values; average those from `low` to `high`
//! ```
//! Departures: the coordinates are sorted four at a time, by a network whose comparisons don't depend on
//! the data and are a table of the caller's; a run of coordinates of all clients is copied to a scratch
//! that stays in the cache, because sorting needs many passes.

use super::client;
use crate::simd::F32x4;

/// Coordinates sorted together.
pub const RUN: usize = 64;

/// `bucket` has a client's vector at every `stride`; `scratch` has [`RUN`] elements for each of the
/// clients; `network` has the pairs of rows to bring into order, one after the other; `out.len()` is a
/// whole number of fours. `low..high` are the ranks that count, not empty.
pub fn sorted_mean(
    bucket: &[f32],
    stride: usize,
    scratch: &mut [f32],
    network: &[[u32; 2]],
    low: usize,
    high: usize,
    out: &mut [f32],
) {
    let clients = scratch.len() / RUN;
    let share = F32x4::splat(1.0 / (high - low) as f32);
    let mut start = 0;
    for run in out.chunks_mut(RUN) {
        let width = run.len();
        let rows = &mut scratch[..clients * width];
        for (index, row) in rows.chunks_exact_mut(width).enumerate() {
            row.copy_from_slice(&client(bucket, index, stride)[start..start + width]);
        }
        for &[a, b] in network {
            let (before, after) = rows.split_at_mut(b as usize * width);
            exchange(&mut before[a as usize * width..][..width], &mut after[..width]);
        }
        run.fill(0.0);
        for row in rows.chunks_exact(width).skip(low).take(high - low) {
            add(row, run);
        }
        for sum in run.as_chunks_mut::<4>().0 {
            (F32x4::load(sum) * share).store(sum);
        }
        start += width;
    }
}

/// Leaves the lesser of each pair in `a`.
#[inline(never)]
fn exchange(a: &mut [f32], b: &mut [f32]) {
    for (a, b) in a.as_chunks_mut::<4>().0.iter_mut().zip(b.as_chunks_mut::<4>().0) {
        let (x, y) = (F32x4::load(a), F32x4::load(b));
        x.lesser(y).store(a);
        y.greater(x).store(b);
    }
}

fn add(row: &[f32], sums: &mut [f32]) {
    for (value, sum) in row.as_chunks::<4>().0.iter().zip(sums.as_chunks_mut::<4>().0) {
        (F32x4::load(sum) + F32x4::load(value)).store(sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    /// The slow network: neighbours exchange until all is in order.
    fn bubbles(rows: u32) -> Vec<[u32; 2]> {
        (0..rows).flat_map(|_| (1..rows).map(|b| [b - 1, b])).collect()
    }

    #[test]
    fn averages_the_ranks_that_count() {
        let mut random = Samples::new(27);
        for (clients, length) in [(1, 4), (3, 60), (4, 64), (5, 68), (10, 200), (33, 132)] {
            let stride = length + 8;
            let bucket = random.units(clients * stride);
            for (low, high) in [(0, clients), (clients / 3, clients - clients / 3), ((clients - 1) / 2, clients / 2 + 1)] {
                let mut out = vec![f32::NAN; length];
                sorted_mean(&bucket, stride, &mut vec![0.0; RUN * clients], &bubbles(clients as u32), low, high, &mut out);
                for (i, &got) in out.iter().enumerate() {
                    let mut values: Vec<f32> = (0..clients).map(|k| bucket[k * stride + i]).collect();
                    values.sort_by(f32::total_cmp);
                    let sum = values[low..high].iter().fold(0.0, |sum, x| sum + x);
                    assert_eq!(got, sum * (1.0 / (high - low) as f32));
                }
            }
        }
    }
}
