//! 128-bit operations on lanes narrower or wider than 32 bits, as safe functions over simd128.
//!
//! `simd_narrow_portable.rs` has the same names over plain arrays; keep the two alike.

use core::arch::wasm32::*;

use crate::simd::{F32x4, U32x4};

/// Sixteen signed bytes.
#[derive(Clone, Copy)]
pub struct I8x16(v128);

/// Eight signed 16-bit lanes.
#[derive(Clone, Copy)]
pub struct I16x8(v128);

/// Eight unsigned 16-bit lanes: the bits of half-precision floats.
#[derive(Clone, Copy)]
pub struct U16x8(v128);

/// Two f64 lanes.
#[derive(Clone, Copy)]
pub struct F64x2(v128);

impl I8x16 {
    #[inline(always)]
    pub fn load(lanes: &[i8; 16]) -> Self {
        // SAFETY: the reference is valid for 16 bytes, and v128.load has no alignment rule.
        Self(unsafe { v128_load(lanes.as_ptr().cast()) })
    }

    /// `a0 b0 a1 b1 ...`
    #[inline(always)]
    pub fn load_beside(a: &[i8; 8], b: &[i8; 8]) -> Self {
        // SAFETY: each reference is valid for the 8 bytes that its load reads, at any alignment.
        let (a, b) = unsafe { (v128_load64_zero(a.as_ptr().cast()), v128_load64_zero(b.as_ptr().cast())) };
        Self(i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(a, b))
    }

    /// The first eight lanes and the last eight, as 16-bit lanes.
    #[inline(always)]
    pub fn widen(self) -> [I16x8; 2] {
        [I16x8(i16x8_extend_low_i8x16(self.0)), I16x8(i16x8_extend_high_i8x16(self.0))]
    }
}

impl I16x8 {
    /// The two numbers, four times.
    #[inline(always)]
    pub fn splat_pair(pair: &[i16; 2]) -> Self {
        // SAFETY: the reference is valid for the 4 bytes that this load reads, at any alignment.
        Self(unsafe { v128_load32_splat(pair.as_ptr().cast()) })
    }

    /// `a0 b0 + a1 b1, a2 b2 + a3 b3, ...` as signed 32-bit lanes.
    #[inline(always)]
    pub fn dot(self, other: Self) -> U32x4 {
        U32x4(i32x4_dot_i16x8(self.0, other.0))
    }
}

impl U16x8 {
    #[inline(always)]
    pub fn splat(value: u16) -> Self {
        Self(u16x8_splat(value))
    }

    #[inline(always)]
    pub fn load(lanes: &[u16; 8]) -> Self {
        // SAFETY: the reference is valid for 16 bytes, and v128.load has no alignment rule.
        Self(unsafe { v128_load(lanes.as_ptr().cast()) })
    }

    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        Self(v128_and(self.0, other.0))
    }

    /// Wraps around.
    #[inline(always)]
    pub fn minus(self, other: Self) -> Self {
        Self(i16x8_sub(self.0, other.0))
    }

    #[inline(always)]
    pub fn lesser(self, other: Self) -> Self {
        Self(u16x8_min(self.0, other.0))
    }

    #[inline(always)]
    pub fn greater(self, other: Self) -> Self {
        Self(u16x8_max(self.0, other.0))
    }

    #[inline(always)]
    pub fn to_array(self) -> [u16; 8] {
        let mut lanes = [0; 8];
        // SAFETY: the array has the 16 bytes that are written, and v128.store has no alignment rule.
        unsafe { v128_store(lanes.as_mut_ptr().cast(), self.0) }
        lanes
    }
}

impl U32x4 {
    /// Four 16-bit lanes with their sign spread over the upper half.
    #[inline(always)]
    pub fn load_signed_halves(lanes: &[u16; 4]) -> Self {
        // SAFETY: the reference is valid for the 8 bytes that this load reads, at any alignment.
        Self(unsafe { i32x4_load_extend_i16x4(lanes.as_ptr().cast()) })
    }
}

impl F32x4 {
    /// The number in all lanes.
    #[inline(always)]
    pub fn load_splat(value: &f32) -> Self {
        // SAFETY: the reference is valid for the 4 bytes that this load reads.
        Self(unsafe { v128_load32_splat((value as *const f32).cast()) })
    }

    /// The first two lanes and the last two, as f64.
    #[inline(always)]
    pub fn widen(self) -> [F64x2; 2] {
        let high = i32x4_shuffle::<2, 3, 2, 3>(self.0, self.0);
        [F64x2(f64x2_promote_low_f32x4(self.0)), F64x2(f64x2_promote_low_f32x4(high))]
    }
}

impl F64x2 {
    #[inline(always)]
    pub fn splat(value: f64) -> Self {
        Self(f64x2_splat(value))
    }

    #[inline(always)]
    pub fn load(lanes: &[f64; 2]) -> Self {
        // SAFETY: the reference is valid for 16 bytes, and v128.load has no alignment rule.
        Self(unsafe { v128_load(lanes.as_ptr().cast()) })
    }

    #[inline(always)]
    pub fn store(self, lanes: &mut [f64; 2]) {
        // SAFETY: the unique reference is valid for 16 bytes; v128.store has no alignment rule.
        unsafe { v128_store(lanes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    pub fn plus_product(self, a: Self, b: Self) -> Self {
        Self(f64x2_add(self.0, f64x2_mul(a.0, b.0)))
    }

    #[inline(always)]
    pub fn to_array(self) -> [f64; 2] {
        [f64x2_extract_lane::<0>(self.0), f64x2_extract_lane::<1>(self.0)]
    }
}
