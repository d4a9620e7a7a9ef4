//! The few 128-bit operations that the kernels need, as safe functions over simd128.
//!
//! `simd_portable.rs` has the same names over plain arrays; keep the two alike.

use core::arch::wasm32::*;
use core::ops::{Add, BitAnd, BitOr, Div, Mul, Shl, Shr, Sub};

/// Four f32 lanes.
#[derive(Clone, Copy)]
pub struct F32x4(pub(crate) v128);

/// Four 32-bit integer lanes; also the masks (all bits set, or none) that comparisons give.
#[derive(Clone, Copy)]
pub struct U32x4(pub(crate) v128);

/// Sixteen bytes: four RGBA pixels.
#[derive(Clone, Copy)]
pub struct Pixels(v128);

impl F32x4 {
    #[inline(always)]
    pub fn splat(value: f32) -> Self {
        Self(f32x4_splat(value))
    }

    #[inline(always)]
    pub fn load(lanes: &[f32; 4]) -> Self {
        // SAFETY: the reference is valid for 16 bytes, and v128.load has no alignment rule.
        Self(unsafe { v128_load(lanes.as_ptr().cast()) })
    }

    #[inline(always)]
    pub fn store(self, lanes: &mut [f32; 4]) {
        // SAFETY: the unique reference is valid for 16 bytes; v128.store has no alignment rule.
        unsafe { v128_store(lanes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    pub fn to_array(self) -> [f32; 4] {
        let v = self.0;
        [f32x4_extract_lane::<0>(v), f32x4_extract_lane::<1>(v), f32x4_extract_lane::<2>(v), f32x4_extract_lane::<3>(v)]
    }

    /// The same bits as integers.
    #[inline(always)]
    pub fn bits(self) -> U32x4 {
        U32x4(self.0)
    }

    /// `other < self ? other : self`, lane by lane: a NaN in `other` loses.
    #[inline(always)]
    pub fn lesser(self, other: Self) -> Self {
        Self(f32x4_pmin(self.0, other.0))
    }

    /// `self < other ? other : self`, lane by lane: a NaN in `other` loses.
    #[inline(always)]
    pub fn greater(self, other: Self) -> Self {
        Self(f32x4_pmax(self.0, other.0))
    }

    #[inline(always)]
    pub fn is_gt(self, other: Self) -> U32x4 {
        U32x4(f32x4_gt(self.0, other.0))
    }

    #[inline(always)]
    pub fn is_ge(self, other: Self) -> U32x4 {
        U32x4(f32x4_ge(self.0, other.0))
    }

    #[inline(always)]
    pub fn is_le(self, other: Self) -> U32x4 {
        U32x4(f32x4_le(self.0, other.0))
    }

    #[inline(always)]
    pub fn sqrt(self) -> Self {
        Self(f32x4_sqrt(self.0))
    }

    /// Four triples `(a[i], b[i], c[i])` in a row: planar to interleaved.
    #[inline(always)]
    pub fn interleave([a, b, c]: [Self; 3]) -> [Self; 3] {
        let ab = i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0);
        let ab_high = i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0);
        let first = i32x4_shuffle::<0, 1, 4, 2>(ab, c.0);
        let second = i32x4_shuffle::<0, 1, 4, 5>(i32x4_shuffle::<3, 5, 0, 0>(ab, c.0), ab_high);
        let third = i32x4_shuffle::<6, 2, 3, 7>(ab_high, c.0);
        [Self(first), Self(second), Self(third)]
    }
}

impl U32x4 {
    #[inline(always)]
    pub fn splat(value: u32) -> Self {
        Self(u32x4_splat(value))
    }

    #[inline(always)]
    pub fn from_array([a, b, c, d]: [u32; 4]) -> Self {
        Self(u32x4(a, b, c, d))
    }

    #[inline(always)]
    pub fn to_array(self) -> [u32; 4] {
        let v = self.0;
        [u32x4_extract_lane::<0>(v), u32x4_extract_lane::<1>(v), u32x4_extract_lane::<2>(v), u32x4_extract_lane::<3>(v)]
    }

    /// Four bytes a lane, the first lowest.
    #[inline(always)]
    pub fn load_bytes(bytes: &[u8; 16]) -> Self {
        // SAFETY: the reference is valid for 16 bytes, and v128.load has no alignment rule.
        Self(unsafe { v128_load(bytes.as_ptr().cast()) })
    }

    /// The same bits as floats.
    #[inline(always)]
    pub fn float_bits(self) -> F32x4 {
        F32x4(self.0)
    }

    /// The value of each lane, read as signed, as a float.
    #[inline(always)]
    pub fn signed_to_float(self) -> F32x4 {
        F32x4(f32x4_convert_i32x4(self.0))
    }

    /// Shift right that keeps the sign.
    #[inline(always)]
    pub fn signed_shift_right(self, bits: u32) -> Self {
        Self(i32x4_shr(self.0, bits))
    }

    #[inline(always)]
    pub fn greater(self, other: Self) -> Self {
        Self(u32x4_max(self.0, other.0))
    }

    #[inline(always)]
    pub fn equals(self, other: Self) -> Self {
        Self(i32x4_eq(self.0, other.0))
    }

    /// Is any bit set?
    #[inline(always)]
    pub fn any(self) -> bool {
        v128_any_true(self.0)
    }

    /// `yes` where the mask is set, else `no`.
    #[inline(always)]
    pub fn select(self, yes: F32x4, no: F32x4) -> F32x4 {
        F32x4(v128_bitselect(yes.0, no.0, self.0))
    }
}

macro_rules! operator {
    ($vector:ty, $trait:ident, $method:ident, $other:ty, $instruction:ident) => {
        impl $trait<$other> for $vector {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: $other) -> Self {
                Self($instruction(self.0, other.0))
            }
        }
    };
}
operator!(F32x4, Add, add, F32x4, f32x4_add);
operator!(F32x4, Sub, sub, F32x4, f32x4_sub);
operator!(F32x4, Mul, mul, F32x4, f32x4_mul);
operator!(F32x4, Div, div, F32x4, f32x4_div);
operator!(U32x4, Add, add, U32x4, i32x4_add);
operator!(U32x4, Sub, sub, U32x4, i32x4_sub);
operator!(U32x4, Mul, mul, U32x4, i32x4_mul);
operator!(U32x4, BitAnd, bitand, U32x4, v128_and);
operator!(U32x4, BitOr, bitor, U32x4, v128_or);

impl Shl<u32> for U32x4 {
    type Output = Self;
    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        Self(i32x4_shl(self.0, bits))
    }
}

impl Shr<u32> for U32x4 {
    type Output = Self;
    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        Self(u32x4_shr(self.0, bits))
    }
}

impl Pixels {
    /// Red (`CHANNEL` 0), green times 256 (1) or blue (2) of the four pixels.
    ///
    /// Green stays where a mask leaves it; blue is shifted down to share red's mask. A mask more
    /// would cost a register too many, a shift more an instruction. (A byte shuffle would do both,
    /// but V8 builds a shuffle's pattern anew for every use: four instructions.)
    #[inline(always)]
    pub fn channel<const CHANNEL: u32>(self) -> F32x4 {
        let bits = match CHANNEL {
            0 => v128_and(self.0, u32x4_splat(0xff)),
            1 => v128_and(self.0, u32x4_splat(0xff00)),
            _ => v128_and(u32x4_shr(self.0, 16), u32x4_splat(0xff)),
        };
        F32x4(f32x4_convert_i32x4(bits))
    }
}

/// Byte offsets of RGBA pixels, four to a group, proven once to have a right neighbour in a row
/// of `row_bytes`. The proof is what lets the inner loop read without a check a pixel.
#[derive(Clone, Copy)]
pub struct PixelPairs<'a> {
    groups: &'a [[u32; 4]],
    row_bytes: usize,
}

impl<'a> PixelPairs<'a> {
    /// None when an offset + 8 exceeds `row_bytes`.
    pub fn new(groups: &'a [[u32; 4]], row_bytes: usize) -> Option<Self> {
        let last = row_bytes.checked_sub(8)?;
        let fits = groups.iter().all(|group| group.iter().all(|&offset| offset as usize <= last));
        fits.then_some(Self { groups, row_bytes })
    }

    /// The two rows to read from. Panics when either is shorter than the proof says.
    #[inline(always)]
    pub fn rows(self, top: &'a [u8], bottom: &'a [u8]) -> RowPair<'a> {
        assert!(top.len() >= self.row_bytes && bottom.len() >= self.row_bytes);
        RowPair { groups: self.groups, top, bottom }
    }
}

/// Two source rows and the pixels to take from them.
#[derive(Clone, Copy)]
pub struct RowPair<'a> {
    groups: &'a [[u32; 4]],
    top: &'a [u8],
    bottom: &'a [u8],
}

impl RowPair<'_> {
    /// Group `index`: `[top left, top right, bottom left, bottom right]`, four pixels each.
    #[inline(always)]
    pub fn gather(&self, index: usize) -> [Pixels; 4] {
        self.taps(&self.groups[index])
    }

    /// All groups in order.
    #[inline(always)]
    pub fn groups(&self) -> impl Iterator<Item = [Pixels; 4]> {
        self.groups.iter().map(|offsets| self.taps(offsets))
    }

    #[inline(always)]
    fn taps(&self, offsets: &[u32; 4]) -> [Pixels; 4] {
        let [top_left, top_right] = pairs(self.top, offsets);
        let [bottom_left, bottom_right] = pairs(self.bottom, offsets);
        [top_left, top_right, bottom_left, bottom_right]
    }
}

#[inline(always)]
fn pairs(row: &[u8], offsets: &[u32; 4]) -> [Pixels; 2] {
    let at = |lane: usize| row.as_ptr().wrapping_add(offsets[lane] as usize);
    // SAFETY: only RowPair calls this, with its rows and groups, which PixelPairs proved to fit: every
    // offset + 8 <= row.len(). The loads have no alignment rule.
    let (first, second) = unsafe {
        (
            v128_load64_lane::<1>(v128_load64_zero(at(0).cast()), at(1).cast()),
            v128_load64_lane::<1>(v128_load64_zero(at(2).cast()), at(3).cast()),
        )
    };
    [Pixels(i32x4_shuffle::<0, 2, 4, 6>(first, second)), Pixels(i32x4_shuffle::<1, 3, 5, 7>(first, second))]
}
