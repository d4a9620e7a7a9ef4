//! The dot product of int8 rows with a query, four rows at a time, in the instruction that the module
//! may use. `GROUP` dimensions of a row lie beside each other, so that one instruction multiplies and
//! adds them.
//!
//! With relaxed SIMD, four signed bytes times four of 0..127: the query is moved by 64 into that range,
//! and each row's sum starts at -64 times the sum of its bytes, which makes the result exact on every
//! processor, however it lowers the instruction. With simd128 alone, two 16-bit products.

use crate::simd::U32x4;

pub use lowering::*;

/// A group of dimensions of four rows.
pub type RowGroup = [i8; 4 * GROUP];

/// A group of dimensions of a query, ready for the instruction.
pub type QueryGroup = u32;

#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod lowering {
    use super::{QueryGroup, RowGroup, U32x4};
    use core::arch::wasm32::*;

    pub const GROUP: usize = 4;

    /// Largest level of a query.
    pub const LEVELS: f32 = 63.0;

    /// The query's levels as the instruction wants them.
    pub fn pack_query(levels: [i32; GROUP]) -> QueryGroup {
        u32::from_le_bytes(levels.map(|level| (level + 64) as u8))
    }

    /// Where the sum of a row must start, given the sum of its bytes.
    pub fn row_start(sum: i32) -> u32 {
        (-64 * sum) as u32
    }

    /// `sums[row] + rows[row] . query`.
    #[inline(always)]
    pub fn dot_add(sums: U32x4, rows: &RowGroup, query: &QueryGroup) -> U32x4 {
        // SAFETY: the references are valid for the 16 and 4 bytes read, at any alignment.
        let (rows, query) = unsafe { (v128_load(rows.as_ptr().cast()), v128_load32_splat(query)) };
        U32x4(i32x4_relaxed_dot_i8x16_i7x16_add(rows, query, sums.0))
    }
}

#[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
mod lowering {
    use super::{QueryGroup, RowGroup, U32x4};
    use core::arch::wasm32::*;

    pub const GROUP: usize = 2;

    /// Largest level of a query.
    pub const LEVELS: f32 = 127.0;

    /// The query's levels as the instruction wants them.
    pub fn pack_query([a, b]: [i32; GROUP]) -> QueryGroup {
        (a as u32 & 0xffff) | (b as u32) << 16
    }

    /// Where the sum of a row must start, given the sum of its bytes.
    pub fn row_start(_sum: i32) -> u32 {
        0
    }

    /// `sums[row] + rows[row] . query`.
    #[inline(always)]
    pub fn dot_add(sums: U32x4, rows: &RowGroup, query: &QueryGroup) -> U32x4 {
        // SAFETY: the references are valid for the 8 and 4 bytes read, at any alignment.
        let (rows, query) = unsafe { (i16x8_load_extend_i8x8(rows.as_ptr()), v128_load32_splat(query)) };
        U32x4(i32x4_add(sums.0, i32x4_dot_i16x8(rows, query)))
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod lowering {
    use super::{QueryGroup, RowGroup, U32x4};
    use core::array::from_fn;

    pub const GROUP: usize = 2;
    pub const LEVELS: f32 = 127.0;

    pub fn pack_query([a, b]: [i32; GROUP]) -> QueryGroup {
        (a as u32 & 0xffff) | (b as u32) << 16
    }

    pub fn row_start(_sum: i32) -> u32 {
        0
    }

    pub fn dot_add(sums: U32x4, rows: &RowGroup, query: &QueryGroup) -> U32x4 {
        let levels = [*query as i16, (*query >> 16) as i16];
        let dot = |row: usize| (0..2).map(|i| i32::from(rows[2 * row + i]) * i32::from(levels[i])).sum::<i32>();
        let sums = sums.to_array();
        U32x4(from_fn(|row| sums[row].wrapping_add(dot(row) as u32)))
    }
}
