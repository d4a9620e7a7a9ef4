//! The operations of `simd_narrow.rs` over plain arrays, for machines other than wasm32.

use core::array::from_fn;

use crate::simd::{F32x4, U32x4};

#[derive(Clone, Copy)]
pub struct I8x16([i8; 16]);

#[derive(Clone, Copy)]
pub struct I16x8([i16; 8]);

#[derive(Clone, Copy)]
pub struct U16x8([u16; 8]);

#[derive(Clone, Copy)]
pub struct F64x2([f64; 2]);

impl I8x16 {
    pub fn load(lanes: &[i8; 16]) -> Self {
        Self(*lanes)
    }

    pub fn load_beside(a: &[i8; 8], b: &[i8; 8]) -> Self {
        Self(from_fn(|i| if i % 2 == 0 { a[i / 2] } else { b[i / 2] }))
    }

    pub fn widen(self) -> [I16x8; 2] {
        [I16x8(from_fn(|i| i16::from(self.0[i]))), I16x8(from_fn(|i| i16::from(self.0[8 + i])))]
    }
}

impl I16x8 {
    pub fn splat_pair(pair: &[i16; 2]) -> Self {
        Self(from_fn(|i| pair[i % 2]))
    }

    pub fn dot(self, other: Self) -> U32x4 {
        let product = |i: usize| i32::from(self.0[i]) * i32::from(other.0[i]);
        U32x4(from_fn(|i| product(2 * i).wrapping_add(product(2 * i + 1)) as u32))
    }
}

impl U16x8 {
    pub fn splat(value: u16) -> Self {
        Self([value; 8])
    }

    pub fn load(lanes: &[u16; 8]) -> Self {
        Self(*lanes)
    }

    pub fn and(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i] & other.0[i]))
    }

    pub fn minus(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i].wrapping_sub(other.0[i])))
    }

    pub fn lesser(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i].min(other.0[i])))
    }

    pub fn greater(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i].max(other.0[i])))
    }

    pub fn to_array(self) -> [u16; 8] {
        self.0
    }
}

impl U32x4 {
    pub fn load_signed_halves(lanes: &[u16; 4]) -> Self {
        Self(lanes.map(|lane| lane as i16 as i32 as u32))
    }
}

impl F32x4 {
    pub fn load_splat(value: &f32) -> Self {
        Self::splat(*value)
    }

    pub fn widen(self) -> [F64x2; 2] {
        let [a, b, c, d] = self.0.map(f64::from);
        [F64x2([a, b]), F64x2([c, d])]
    }
}

impl F64x2 {
    pub fn splat(value: f64) -> Self {
        Self([value; 2])
    }

    pub fn load(lanes: &[f64; 2]) -> Self {
        Self(*lanes)
    }

    pub fn store(self, lanes: &mut [f64; 2]) {
        *lanes = self.0;
    }

    pub fn plus_product(self, a: Self, b: Self) -> Self {
        Self(from_fn(|i| self.0[i] + a.0[i] * b.0[i]))
    }

    pub fn to_array(self) -> [f64; 2] {
        self.0
    }
}
