/** How the kernels are computed. */
export type BackendName = "wasm-relaxed" | "wasm" | "reference";
