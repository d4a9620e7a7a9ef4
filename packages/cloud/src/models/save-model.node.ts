import { writeFileDurably } from "@sedna-js/core/node";
import { rm } from "node:fs/promises";

import { tensor, type Tensors } from "@sedna-js/core";
import type { LayerSpec } from "@sedna-js/core/training";
import { writeSafetensors } from "@sedna-js/core/wire";

/** A model of a federation, to be kept as a file. */
export interface SavedModel {
  readonly layout: readonly LayerSpec[];
  /** Flat. */
  readonly parameters: Float32Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Keeps the newest model in a file; see {@link modelFile}. */
export interface ModelFile {
  /**
   * Writes a model in place of the one that is there. Of models that come while one is written only the
   * newest is.
   */
  save(model: SavedModel): void;
  /** Resolves when nothing is being written. */
  settled(): Promise<void>;
}

/**
 * A safetensors file that is the old model or the new one at any moment, also when the power goes.
 * What fails is told, and tried again with the next model.
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
