/** Implementation that computes the kernels. */
export type BackendName = "wasm-relaxed" | "wasm" | "reference";
