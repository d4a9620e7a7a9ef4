//! The operations of `simd.rs` over plain arrays, for machines other than wasm32: what
//! `cargo test` runs. Slow on purpose, and without unsafe code.

use core::array::from_fn;
use core::ops::{Add, BitAnd, BitOr, Div, Mul, Shl, Shr, Sub};

#[derive(Clone, Copy)]
pub struct F32x4(pub(crate) [f32; 4]);

#[derive(Clone, Copy)]
pub struct U32x4(pub(crate) [u32; 4]);

#[derive(Clone, Copy)]
pub struct Pixels([[u8; 4]; 4]);

fn mask(yes: bool) -> u32 {
    if yes { u32::MAX } else { 0 }
}

impl F32x4 {
    pub fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    pub fn load(lanes: &[f32; 4]) -> Self {
        Self(*lanes)
    }

    pub fn store(self, lanes: &mut [f32; 4]) {
        *lanes = self.0;
    }

    pub fn to_array(self) -> [f32; 4] {
        self.0
    }

    pub fn bits(self) -> U32x4 {
        U32x4(self.0.map(f32::to_bits))
    }

    pub fn lesser(self, other: Self) -> Self {
        Self(from_fn(|i| if other.0[i] < self.0[i] { other.0[i] } else { self.0[i] }))
    }

    pub fn greater(self, other: Self) -> Self {
        Self(from_fn(|i| if self.0[i] < other.0[i] { other.0[i] } else { self.0[i] }))
    }

    pub fn is_gt(self, other: Self) -> U32x4 {
        U32x4(from_fn(|i| mask(self.0[i] > other.0[i])))
    }

    pub fn is_ge(self, other: Self) -> U32x4 {
        U32x4(from_fn(|i| mask(self.0[i] >= other.0[i])))
    }

    pub fn is_le(self, other: Self) -> U32x4 {
        U32x4(from_fn(|i| mask(self.0[i] <= other.0[i])))
    }

    pub fn sqrt(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }

    pub fn interleave([Self(a), Self(b), Self(c)]: [Self; 3]) -> [Self; 3] {
        [Self([a[0], b[0], c[0], a[1]]), Self([b[1], c[1], a[2], b[2]]), Self([c[2], a[3], b[3], c[3]])]
    }
}

impl U32x4 {
    pub fn splat(value: u32) -> Self {
        Self([value; 4])
    }

    pub fn from_array(lanes: [u32; 4]) -> Self {
        Self(lanes)
    }

    pub fn to_array(self) -> [u32; 4] {
        self.0
    }

    pub fn load_bytes(bytes: &[u8; 16]) -> Self {
        Self(from_fn(|i| u32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]])))
    }

    pub fn float_bits(self) -> F32x4 {
        F32x4(self.0.map(f32::from_bits))
    }

    pub fn signed_to_float(self) -> F32x4 {
        F32x4(self.0.map(|lane| lane as i32 as f32))
    }

    pub fn signed_shift_right(self, bits: u32) -> Self {
        Self(self.0.map(|lane| ((lane as i32) >> bits) as u32))
    }

    pub fn greater(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i].max(other.0[i])))
    }

    pub fn equals(self, other: Self) -> Self {
        Self(from_fn(|i| mask(self.0[i] == other.0[i])))
    }

    pub fn any(self) -> bool {
        self.0.iter().any(|&lane| lane != 0)
    }

    pub fn select(self, yes: F32x4, no: F32x4) -> F32x4 {
        ((self & yes.bits()) | (Self(self.0.map(|lane| !lane)) & no.bits())).float_bits()
    }
}

macro_rules! operator {
    ($vector:ty, $trait:ident, $method:ident, $lane:expr) => {
        impl $trait for $vector {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self(from_fn(|i| $lane(self.0[i], other.0[i])))
            }
        }
    };
}
operator!(F32x4, Add, add, |a: f32, b: f32| a + b);
operator!(F32x4, Sub, sub, |a: f32, b: f32| a - b);
operator!(F32x4, Mul, mul, |a: f32, b: f32| a * b);
operator!(F32x4, Div, div, |a: f32, b: f32| a / b);
operator!(U32x4, Add, add, u32::wrapping_add);
operator!(U32x4, Sub, sub, u32::wrapping_sub);
operator!(U32x4, Mul, mul, u32::wrapping_mul);
operator!(U32x4, BitAnd, bitand, |a: u32, b: u32| a & b);
operator!(U32x4, BitOr, bitor, |a: u32, b: u32| a | b);

impl Shl<u32> for U32x4 {
    type Output = Self;
    fn shl(self, bits: u32) -> Self {
        Self(self.0.map(|lane| lane << bits))
    }
}

impl Shr<u32> for U32x4 {
    type Output = Self;
    fn shr(self, bits: u32) -> Self {
        Self(self.0.map(|lane| lane >> bits))
    }
}

impl Pixels {
    pub fn channel<const CHANNEL: u32>(self) -> F32x4 {
        let unit = if CHANNEL == 1 { 256.0 } else { 1.0 };
        F32x4(self.0.map(|pixel| f32::from(pixel[CHANNEL as usize]) * unit))
    }
}

#[derive(Clone, Copy)]
pub struct PixelPairs<'a> {
    groups: &'a [[u32; 4]],
    row_bytes: usize,
}

impl<'a> PixelPairs<'a> {
    pub fn new(groups: &'a [[u32; 4]], row_bytes: usize) -> Option<Self> {
        let last = row_bytes.checked_sub(8)?;
        let fits = groups.iter().all(|group| group.iter().all(|&offset| offset as usize <= last));
        fits.then_some(Self { groups, row_bytes })
    }

    pub fn rows(self, top: &'a [u8], bottom: &'a [u8]) -> RowPair<'a> {
        assert!(top.len() >= self.row_bytes && bottom.len() >= self.row_bytes);
        RowPair { groups: self.groups, top, bottom }
    }
}

#[derive(Clone, Copy)]
pub struct RowPair<'a> {
    groups: &'a [[u32; 4]],
    top: &'a [u8],
    bottom: &'a [u8],
}

impl RowPair<'_> {
    pub fn gather(&self, index: usize) -> [Pixels; 4] {
        let offsets = self.groups[index];
        let take = |row: &[u8], side: usize| Pixels(from_fn(|i| from_fn(|c| row[offsets[i] as usize + 4 * side + c])));
        [take(self.top, 0), take(self.top, 1), take(self.bottom, 0), take(self.bottom, 1)]
    }

    pub fn groups(&self) -> impl Iterator<Item = [Pixels; 4]> {
        (0..self.groups.len()).map(|index| self.gather(index))
    }
}
