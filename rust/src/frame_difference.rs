//! Brightness of the cells of a picture, for a motion gate.
//!
//! Luma is `(77 red + 150 green + 29 blue) / 256`; the sums are of 256 times that, in integers. Red and
//! blue are added down the rows in the halves of one lane, which holds 257 rows.

use crate::simd::U32x4;

/// How far the last group of four pixels may reach past the last row.
pub const OVERRUN: usize = 12;

/// Writes 256 times the luma of each cell of one row of cells: `width` pixels in cells of `cell`, the
/// last of which may be narrower. `source` has `rows` (at most 257) rows of `width` RGBA pixels, and
/// [`OVERRUN`] more bytes; `columns` is working space for the width rounded up to four.
pub fn cell_luma(source: &[u8], width: usize, rows: usize, cell: usize, columns: &mut [u32], sums: &mut [u32]) {
    for (group, luma) in columns.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let mut red_blue = U32x4::splat(0);
        let mut green = U32x4::splat(0);
        for row in 0..rows {
            // The last group of a row reads on into the next one; those columns aren't used.
            let pixels = U32x4::load_bytes(source[4 * row * width + 16 * group..].first_chunk().expect("16 bytes"));
            red_blue = red_blue + (pixels & U32x4::splat(0x00ff_00ff));
            green = green + ((pixels >> 8) & U32x4::splat(0xff));
        }
        let red = red_blue & U32x4::splat(0xffff);
        let sum = red * U32x4::splat(77) + green * U32x4::splat(150) + (red_blue >> 16) * U32x4::splat(29);
        *luma = sum.to_array();
    }
    for (sum, columns) in sums.iter_mut().zip(columns[..width].chunks(cell)) {
        *sum = columns.iter().sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    fn run(pixels: &[[u8; 4]], width: usize, cell: usize) -> Vec<u32> {
        let mut source = pixels.as_flattened().to_vec();
        source.resize(source.len() + OVERRUN, 255);
        let mut columns = vec![9; width.next_multiple_of(4)];
        let mut sums = vec![9; width.div_ceil(cell)];
        cell_luma(&source, width, pixels.len() / width, cell, &mut columns, &mut sums);
        sums
    }

    fn naive(pixels: &[[u8; 4]], width: usize, cell: usize) -> Vec<u32> {
        let mut sums = vec![0; width.div_ceil(cell)];
        for (i, &[red, green, blue, _]) in pixels.iter().enumerate() {
            sums[i % width / cell] += 77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue);
        }
        sums
    }

    #[test]
    fn agrees_with_the_naive_loop() {
        let mut random = Samples::new(29);
        for width in [1, 2, 3, 4, 5, 7, 8, 33, 1003] {
            for rows in [1, 2, 3, 8] {
                for cell in [1, 2, 3, 8, 256] {
                    let pixels: Vec<[u8; 4]> =
                        (0..width * rows).map(|_| core::array::from_fn(|_| (random.next() >> 8) as u8)).collect();
                    assert_eq!(run(&pixels, width, cell), naive(&pixels, width, cell), "{width} x {rows}, cell {cell}");
                }
            }
        }
    }

    #[test]
    fn the_largest_white_cell_does_not_overflow() {
        assert_eq!(run(&vec![[255; 4]; 256 * 256], 256, 256), [255 * 256 * 256 * 256]);
    }
}
