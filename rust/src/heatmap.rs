//! Peaks of a heat map: the cells that a 3 x 3 max pooling leaves unchanged (CenterNet's decode,
//! Zhou et al., "Objects as Points", 2019).

use crate::simd::F32x4;

/// Writes the cells that reach `threshold` and have no greater neighbour, in row-major order;
/// their number. Equal neighbours are all peaks; NaN is neither a peak nor greater.
///
/// Nearly all cells fail the threshold, so only that test runs in vectors.
pub fn heatmap_peaks(heatmap: &[f32], width: usize, threshold: f32, cells: &mut [u32]) -> usize {
    let mut count = 0;
    let mut visit = |cell: usize| {
        if heatmap[cell] >= threshold && is_peak(heatmap, width, cell) {
            cells[count] = cell as u32;
            count += 1;
        }
    };
    let (blocks, tail) = heatmap.as_chunks::<4>();
    for (index, block) in blocks.iter().enumerate() {
        if F32x4::load(block).is_ge(F32x4::splat(threshold)).any() {
            (4 * index..4 * index + 4).for_each(&mut visit);
        }
    }
    (heatmap.len() - tail.len()..heatmap.len()).for_each(&mut visit);
    count
}

fn is_peak(heatmap: &[f32], width: usize, cell: usize) -> bool {
    let (x, y) = (cell % width, cell / width);
    let rows = y.saturating_sub(1)..(y + 2).min(heatmap.len() / width);
    rows.into_iter().all(|row| {
        let from = row * width + x.saturating_sub(1);
        let to = row * width + (x + 2).min(width);
        !heatmap[from..to].iter().any(|&neighbour| neighbour > heatmap[cell])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    fn naive(heatmap: &[f32], width: usize, threshold: f32) -> Vec<u32> {
        let height = heatmap.len() / width;
        let at = |x: isize, y: isize| {
            let inside = x >= 0 && y >= 0 && x < width as isize && y < height as isize;
            if inside { heatmap[y as usize * width + x as usize] } else { f32::NEG_INFINITY }
        };
        let mut peaks = Vec::new();
        for y in 0..height as isize {
            for x in 0..width as isize {
                let beaten = (0..9).any(|n| at(x + n % 3 - 1, y + n / 3 - 1) > at(x, y));
                if at(x, y) >= threshold && !beaten {
                    peaks.push((y as usize * width + x as usize) as u32);
                }
            }
        }
        peaks
    }

    #[test]
    fn agrees_with_the_naive_loop() {
        let mut random = Samples::new(13);
        for (width, height) in [(1, 1), (1, 7), (7, 1), (2, 2), (3, 5), (4, 4), (36, 27), (17, 59)] {
            let heatmap: Vec<f32> = (0..width * height).map(|_| (random.next() % 50) as f32).collect();
            let mut cells = vec![0; width * height];
            let count = heatmap_peaks(&heatmap, width, 20.0, &mut cells);
            assert_eq!(cells[..count], naive(&heatmap, width, 20.0), "{width} x {height}");
        }
    }

    #[test]
    fn equal_neighbours_are_all_peaks_and_nan_is_none() {
        let mut cells = [0; 5];
        let count = heatmap_peaks(&[0.5, 0.5, f32::NAN, 0.25, 0.5], 5, 0.1, &mut cells);
        assert_eq!(cells[..count], [0, 1, 4]);
    }
}
