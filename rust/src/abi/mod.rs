//! The surface that JavaScript calls: raw addresses in, safe slices on. This folder and the files
//! `simd*.rs` have all the unsafe code. One module is built from each set of exports (a feature of the crate);
//! the allocator is in all of them.
//!
//! Contract of every export: JavaScript has checked the arguments; each address comes from
//! `alloc`, with room for the stated number of elements and the alignment of their type; outputs
//! overlap no inputs; an instance is used by one thread, one call at a time. A length that
//! doesn't fit the data ends in a trap, not in a stray access, where the kernels index slices.

use core::cell::UnsafeCell;
use core::slice;

use crate::heap::Heap;

#[cfg(feature = "vectors")]
mod averaging;
#[cfg(feature = "vectors")]
mod gallery;
#[cfg(feature = "training")]
mod head;
#[cfg(feature = "perception")]
mod perception;
#[cfg(feature = "probes")]
mod probes;
#[cfg(feature = "tracking")]
mod tracking;

const PAGE: usize = 65536;

struct Shared(UnsafeCell<Heap>);

// SAFETY: the module is built without threads, so nothing can use the heap concurrently.
unsafe impl Sync for Shared {}

static HEAP: Shared = Shared(UnsafeCell::new(Heap::new()));

unsafe extern "C" {
    /// Set by the linker: the first address after data and stack.
    static __heap_base: u8;
}

fn with_heap<R>(use_heap: impl FnOnce(&mut Heap) -> R) -> R {
    // SAFETY: one thread (see Shared), and `use_heap` is one of the two closures below, which
    // don't come back here, so the reference is unique.
    use_heap(unsafe { &mut *HEAP.0.get() })
}

/// Address of `bytes` new bytes, 16-byte aligned, not zeroed; 0 when memory can't grow further.
/// Growing detaches the views that JavaScript holds.
#[unsafe(no_mangle)]
pub extern "C" fn alloc(bytes: u32) -> u32 {
    let base = &raw const __heap_base as u32;
    let (address, end) = with_heap(|heap| (heap.allocate(bytes, base), heap.end() as usize));
    let Some(address) = address else { return 0 };
    let missing = end.div_ceil(PAGE).saturating_sub(core::arch::wasm32::memory_size::<0>());
    if missing > 0 && core::arch::wasm32::memory_grow::<0>(missing) == usize::MAX {
        free(address);
        return 0;
    }
    address
}

/// Gives back a block of `alloc`. Another address is ignored.
#[unsafe(no_mangle)]
pub extern "C" fn free(address: u32) {
    with_heap(|heap| heap.release(address));
}

/// # Safety
/// The contract at the top of this file, for `length` elements at `address`.
unsafe fn input<'a, T>(address: *const T, length: usize) -> &'a [T] {
    // SAFETY: passed on to the caller.
    unsafe { slice::from_raw_parts(address, length) }
}

/// # Safety
/// As `input`; moreover nothing else refers to these elements.
#[cfg(not(feature = "probes"))]
unsafe fn output<'a, T>(address: *mut T, length: usize) -> &'a mut [T] {
    // SAFETY: passed on to the caller.
    unsafe { slice::from_raw_parts_mut(address, length) }
}
