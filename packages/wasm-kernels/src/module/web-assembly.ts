/**
 * Structural types of the parts of WebAssembly and of the web platform that this package uses. Neither is in
 * ES2023.
 */

/** A `WebAssembly.Memory`. Growing replaces `buffer` and detaches the old one. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** The `WebAssembly` namespace. */
export interface WasmEngine {
  validate(bytes: Uint8Array): boolean;
  instantiate(bytes: Uint8Array): Promise<{ readonly instance: { readonly exports: unknown } }>;
}

interface Platform {
  readonly WebAssembly?: WasmEngine;
  atob(base64: string): string;
}

const platform = (): Platform => globalThis as unknown as Platform;

/**
 * Returns the engine's WebAssembly, or `undefined` if the engine has none (iOS lockdown mode, `--jitless`).
 */
export function wasmEngine(): WasmEngine | undefined {
  return platform().WebAssembly;
}

/** Decodes a base64 string. */
export function decodeBase64(base64: string): Uint8Array {
  return Uint8Array.from(platform().atob(base64), (character) => character.charCodeAt(0));
}
