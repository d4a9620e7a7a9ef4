import { dirname } from "node:path";
import { createRequire } from "node:module";
import { fastest } from "./fastest.ts";
import { transposed } from "./onnx-matching.ts";
import {
  loadPeer,
  peerOrReason,
  TOP,
  type Gallery,
  type Peer,
  type PeerFactory,
  type Queries,
} from "./peer.ts";

/** The part of tfjs-core that the contestants use. The root does not have its types. */
export interface Tfjs {
  setBackend(name: "wasm"): Promise<boolean>;
  ready(): Promise<void>;
  tensor2d(values: Float32Array, shape: readonly [number, number]): Tensor2D;
  zeros(shape: readonly number[]): Tensor2D;
  variable(start: Tensor2D, trainable: boolean, name: string): Variable;
  matMul(a: Tensor2D, b: Tensor2D): Tensor2D;
  softmax(logits: Tensor2D): Tensor2D;
  sub(a: Tensor2D, b: Tensor2D): Tensor2D;
  readonly losses: { softmaxCrossEntropy(targets: Tensor2D, logits: Tensor2D): Tensor2D };
  transpose(a: Tensor2D): Tensor2D;
  topk(a: Tensor2D, k: number, sorted: boolean): { readonly values: Tensor2D; readonly indices: Tensor2D };
  tidy<T>(body: () => T): T;
  readonly train: {
    sgd(rate: number): Optimizer;
    adam(rate: number, beta1: number, beta2: number, epsilon: number): Optimizer;
  };
}

/** A matrix in tfjs's memory. */
export interface Tensor2D {
  dataSync(): Float32Array | Int32Array;
  dispose(): void;
}

/** A matrix whose values can be assigned. */
export interface Variable extends Tensor2D {
  assign(value: Tensor2D): void;
}

interface Optimizer {
  applyGradients(gradients: Readonly<Record<string, Tensor2D>>): void;
  minimize(loss: () => Tensor2D): void;
  dispose(): void;
}

const require = createRequire(import.meta.url);

/**
 * Loads tfjs with its WASM backend, SIMD, and one thread.
 *
 * @throws {Error} If tfjs is not installed or does not start.
 */
export async function loadTfjs(): Promise<{ readonly tf: Tfjs; readonly version: string }> {
  const backend = loadPeer<{ setWasmPaths(folder: string): void; setThreadsCount(threads: number): void }>(
    "@tensorflow/tfjs-backend-wasm",
  );
  const { module: tf } = loadPeer<Tfjs>("@tensorflow/tfjs-core");
  // The package's Node bundle omits the gradients. They register themselves in a table that all copies share.
  require("@tensorflow/tfjs-core/dist/register_all_gradients.js");
  backend.module.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  backend.module.setThreadsCount(1);
  if (!(await tf.setBackend("wasm")))
    throw new Error("start tfjs: expected the wasm backend to initialize; it did not");
  await tf.ready();
  return { tf, version: backend.version };
}

const name = "tfjs-backend-wasm";

/** matMul and topk on tfjs's WASM backend, in the faster order of multiplication. */
export const tfjs: PeerFactory = (gallery, queries) =>
  peerOrReason(name, async () => {
    const { tf, version } = await loadTfjs();
    return fastest(
      [
        () => matching(tf, { version, gallery, queries, columns: true }),
        () => matching(tf, { version, gallery, queries, columns: false }),
      ],
      { runs: 2 },
    );
  });

async function matching(
  tf: Tfjs,
  {
    version,
    gallery,
    queries,
    columns,
  }: {
    readonly version: string;
    readonly gallery: Gallery;
    readonly queries: Queries;
    readonly columns: boolean;
  },
): Promise<Peer> {
  const { values, count, dimensions } = gallery;
  const rows = columns
    ? tf.tensor2d(transposed(values, dimensions), [dimensions, count])
    : tf.tensor2d(values, [count, dimensions]);
  const asked = columns
    ? tf.tensor2d(queries.values, [queries.count, dimensions])
    : tf.tensor2d(transposed(queries.values, dimensions), [dimensions, queries.count]);
  const top = Math.min(TOP, count);
  let found: ArrayLike<number> = [];
  return {
    name,
    version,
    layout: `1 thread, WebAssembly simd128; ${columns ? "queries x gallery transposed beforehand" : "row-major gallery x queries transposed beforehand"}, tensors created beforehand`,
    run() {
      const indices = tf.tidy(
        () =>
          tf.topk(columns ? tf.matMul(asked, rows) : tf.transpose(tf.matMul(rows, asked)), top, true).indices,
      );
      found = indices.dataSync();
      indices.dispose();
    },
    top: () => Array.from({ length: Math.min(top, found.length) }, (_, i) => found[i]!),
    dispose() {
      rows.dispose();
      asked.dispose();
    },
  };
}
