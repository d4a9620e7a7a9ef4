//! Numeric kernels of sedna-js.
//!
//! Slices in, slices out; no allocation, no I/O, no dependencies. The algorithms are safe Rust
//! over four-lane vectors ([`simd`]). Raw pointers exist only in `abi/`, the surface that
//! JavaScript calls. On other machines the vectors are plain arrays, so that `cargo test` runs
//! the same algorithms natively.
#![cfg_attr(target_arch = "wasm32", no_std)]

#[cfg(target_arch = "wasm32")]
mod abi;

pub mod assignment;
pub mod averaging;
pub mod box_iou;
pub mod cross_entropy;
pub mod exp2;
pub mod frame_difference;
pub mod gallery;
pub mod gfl;
pub mod head;
pub mod heap;
pub mod heatmap;
pub mod ibt;
pub mod letterbox;
pub mod log2;
pub mod nms;
pub mod probes;
#[cfg_attr(not(target_arch = "wasm32"), path = "simd_portable.rs")]
pub mod simd;
pub mod simd_int8;
#[cfg_attr(not(target_arch = "wasm32"), path = "simd_narrow_portable.rs")]
pub mod simd_narrow;
pub mod threshold;
pub mod top_class;

#[cfg(test)]
mod samples;

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
