/** A check that an engine must pass if it has the required features. */
export interface EngineCheck {
  readonly name: string;
  /**
   * Returns the missing feature, such as "WebGPU"; `undefined` if the check can run. Default: the check can
   * always run.
   */
  readonly lacks?: () => Promise<string | undefined>;
  /**
   * Runs the check. May return a figure or a name to report.
   * @throws If the check fails.
   */
  readonly run: () => Promise<string | void>;
}

/** Outcome of a check. */
export type CheckOutcome =
  | { readonly name: string; readonly state: "passed"; readonly note: string; readonly ms: number }
  | { readonly name: string; readonly state: "failed"; readonly note: string; readonly ms: number }
  | { readonly name: string; readonly state: "not there"; readonly note: string };

/** The report that the page stores in `globalThis.engineReport` when all checks have run. */
export interface EngineReport {
  readonly outcomes: readonly CheckOutcome[];
  /** Web platform features that this engine lacks, of those that the project uses or could use. */
  readonly notThere: readonly string[];
}

/** Outputs of Node's ONNX Runtime and their inputs. The page fetches them as `expected.json`. */
export interface ExpectedOutputs {
  readonly [model: string]: {
    readonly input: string;
    readonly shape: readonly number[];
    readonly seed: number;
    readonly output: string;
    readonly values: readonly number[];
  };
}

/**
 * Returns the largest difference of two lists.
 * @throws {Error} If the lists differ in length or by more than the tolerance.
 */
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

/** Returns reproducible numbers in 0..1, the same in the page and in Node. */
export function noise(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from(
    { length },
    () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24,
  );
}
