/** Something that an engine must do right, where it has what it takes. */
export interface EngineCheck {
  readonly name: string;
  /** What the engine lacks for it, such as "WebGPU"; undefined where it can run. Without it: always can. */
  readonly lacks?: () => Promise<string | undefined>;
  /** @throws where the engine does not do it right. May give a figure or a name to report. */
  readonly run: () => Promise<string | void>;
}

/** How a check went. */
export type CheckOutcome =
  | { readonly name: string; readonly state: "passed"; readonly note: string; readonly ms: number }
  | { readonly name: string; readonly state: "failed"; readonly note: string; readonly ms: number }
  | { readonly name: string; readonly state: "not there"; readonly note: string };

/** What the page leaves in `globalThis.engineReport` when all checks have run. */
export interface EngineReport {
  readonly outcomes: readonly CheckOutcome[];
  /** What of the web platform this engine lacks, of what we use or could use. */
  readonly notThere: readonly string[];
}

/** What Node's ONNX Runtime answered, and the inputs it had; the page fetches it as `expected.json`. */
export interface ExpectedOutputs {
  readonly [model: string]: {
    readonly input: string;
    readonly shape: readonly number[];
    readonly seed: number;
    readonly output: string;
    readonly values: readonly number[];
  };
}

/** Throws where two lists are not the same within a tolerance. */
export function expectClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): number {
  if (found.length !== expected.length)
    throw new Error(`expected ${expected.length} numbers; got ${found.length}`);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(found[i]! - expected[i]!);
    if (!(error <= tolerance))
      throw new Error(`expected ${expected[i]} within ${tolerance} at ${i}; got ${found[i]}`);
    worst = Math.max(worst, error);
  }
  return worst;
}

/** Repeatable numbers in 0..1: the same in the page and in Node. */
export function noise(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from(
    { length },
    () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24,
  );
}
