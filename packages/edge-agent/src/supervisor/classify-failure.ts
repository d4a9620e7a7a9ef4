import { SednaError } from "@sedna-js/core";
import type { FailureReason } from "./supervised-model.ts";

/** What a model was doing when it failed. `dead`: its Worker has ended. */
export interface FailureContext {
  readonly during: "open" | "run";
  readonly dead: boolean;
}

/**
 * Out-of-memory messages of V8, Emscripten, ONNX Runtime, Node, and WebGPU. An abort of Emscripten almost
 * always is one.
 */
const OUT_OF_MEMORY =
  /out[ _-]?of[ _-]?memory|\boom\b|aborted\(|bad_alloc|memory\.grow|invalid (typed )?array length|array buffer allocation failed|failed to allocate|could not allocate|ERR_WORKER_OUT_OF_MEMORY|maximum memory size/i;

/**
 * Lost-device messages of ONNX Runtime and browsers. The last one is from ONNX Runtime 1.30 after a crash of
 * the GPU process.
 */
const DEVICE_LOST =
  /device[^.]*\blost\b|lost[^.]*\bdevice\b|device (is|was) destroyed|mapasync|reading 'destroy'/i;

/**
 * Classifies the failure of a model. Returns `undefined` if the model did not fail: the caller's request was
 * invalid, and a new Worker would reject it as well.
 */
export function classifyFailure(error: unknown, { during, dead }: FailureContext): FailureReason | undefined {
  const said = allText(error);
  if (OUT_OF_MEMORY.test(said)) return "out-of-memory";
  if (dead) return "worker-crashed";
  if (during === "open") return DEVICE_LOST.test(said) ? "device-lost" : "open-failed";
  const isRun = error instanceof SednaError && error.code === "run-failed";
  // A WASM trap: the memory of the instance is in an unknown state.
  const isTrap = error instanceof Error && error.name === "RuntimeError";
  if (!isRun && !isTrap) return undefined;
  return DEVICE_LOST.test(said) ? "device-lost" : "run-rejected";
}

/** Returns whether a failure to open would be the same in a new Worker on the same backend. */
export function isFinal(error: unknown): boolean {
  if (error instanceof TypeError || /no available backend found/i.test(allText(error))) return true;
  return error instanceof SednaError && !error.retryable && error.code !== "run-failed";
}

/** Returns the messages and codes of an error and its causes. */
function allText(error: unknown): string {
  const parts: string[] = [];
  for (let one = error; one instanceof Error && parts.length < 8; one = one.cause) {
    const { code } = one as { readonly code?: unknown };
    parts.push(`${one.message} ${typeof code === "string" ? code : ""}`);
  }
  return parts.join("\n");
}
