import { SednaError } from "@sedna-js/core";
import type { FailureReason } from "./supervised-model.ts";

/** What a model was doing when it failed. `dead`: its Worker is. */
export interface FailureContext {
  readonly during: "open" | "run";
  readonly dead: boolean;
}

/**
 * What V8, Emscripten, ONNX Runtime, Node and WebGPU say when memory is short; an abort of Emscripten's
 * nearly always is that.
 */
const OUT_OF_MEMORY =
  /out[ _-]?of[ _-]?memory|\boom\b|aborted\(|bad_alloc|memory\.grow|invalid (typed )?array length|array buffer allocation failed|failed to allocate|could not allocate|ERR_WORKER_OUT_OF_MEMORY|maximum memory size/i;

/**
 * What ONNX Runtime and browsers say of a device that is gone; the last is ONNX Runtime 1.30 after a crash of
 * the GPU process.
 */
const DEVICE_LOST =
  /device[^.]*\blost\b|lost[^.]*\bdevice\b|device (is|was) destroyed|mapasync|reading 'destroy'/i;

/**
 * Why a model failed; undefined where it did not: the caller asked for what cannot be answered, and would
 * hear the same of a fresh one.
 */
export function classifyFailure(error: unknown, { during, dead }: FailureContext): FailureReason | undefined {
  const said = allText(error);
  if (OUT_OF_MEMORY.test(said)) return "out-of-memory";
  if (dead) return "worker-crashed";
  if (during === "open") return DEVICE_LOST.test(said) ? "device-lost" : "open-failed";
  const isRun = error instanceof SednaError && error.code === "run-failed";
  // What WASM traps with: the memory of that instance is in an unknown state.
  const isTrap = error instanceof Error && error.name === "RuntimeError";
  if (!isRun && !isTrap) return undefined;
  return DEVICE_LOST.test(said) ? "device-lost" : "run-rejected";
}

/** True for a failure to open that would be the same in a fresh Worker on the same rung. */
export function isFinal(error: unknown): boolean {
  if (error instanceof TypeError || /no available backend found/i.test(allText(error))) return true;
  return error instanceof SednaError && !error.retryable && error.code !== "run-failed";
}

/** The messages and codes of an error and its causes. */
function allText(error: unknown): string {
  const parts: string[] = [];
  for (let one = error; one instanceof Error && parts.length < 8; one = one.cause) {
    const { code } = one as { readonly code?: unknown };
    parts.push(`${one.message} ${typeof code === "string" ? code : ""}`);
  }
  return parts.join("\n");
}
