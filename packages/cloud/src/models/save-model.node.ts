import { writeFileDurably } from "@sedna-js/core/node";
import { rm } from "node:fs/promises";

import { tensor, type Tensors } from "@sedna-js/core";
import type { LayerSpec } from "@sedna-js/core/training";
import { writeSafetensors } from "@sedna-js/core/wire";

/** A federation's model to save to a file. */
export interface SavedModel {
  readonly layout: readonly LayerSpec[];
  /** All layers' parameters, concatenated. */
  readonly parameters: Float32Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Saves the latest model to a file; see {@link modelFile}. */
export interface ModelFile {
  /**
   * Replaces the file with a model. If several models arrive during a write, only the latest is written next.
   */
  save(model: SavedModel): void;
  /** Resolves when no write is in progress. */
  settled(): Promise<void>;
}

/**
 * Creates a writer of a safetensors file that always contains the complete old or new model, even after a
 * power failure. A failed write is reported, and the next model is written as usual.
 */
export function modelFile(
  path: string,
  { onError }: { readonly onError: (error: Error) => void },
): ModelFile {
  let next: SavedModel | undefined;
  let writing: Promise<void> | undefined;
  const writeAll = async (): Promise<void> => {
    for (let model = next; model; model = next) {
      next = undefined;
      await write(path, model).catch((error: unknown) =>
        onError(error instanceof Error ? error : new Error(String(error))),
      );
    }
    writing = undefined;
  };
  return {
    save(model) {
      next = model;
      writing ??= writeAll();
    },
    settled: async () => writing,
  };
}

async function write(path: string, { layout, parameters, metadata }: SavedModel): Promise<void> {
  let start = 0;
  const tensors: Tensors = Object.fromEntries(
    layout.map(({ name, shape }) => {
      const length = shape.reduce((product, axis) => product * axis, 1);
      start += length;
      return [name, tensor("float32", shape, parameters.subarray(start - length, start))];
    }),
  );
  const draft = `${path}.${process.pid}.tmp`;
  await rm(draft, { force: true });
  await writeFileDurably(path, writeSafetensors({ tensors, metadata }), draft);
}
