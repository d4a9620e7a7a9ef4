import type { InferenceSession, Tensor } from "onnxruntime-node";
import { fastest } from "./fastest.ts";
import { matchingModel, transposed, type MatchingModelOptions } from "./onnx-matching.ts";
import { TOP, type Gallery, type Peer, type Queries } from "./peer.ts";

/** The API that both ONNX Runtime packages offer and the contestant uses. */
export interface Ort {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, shape: readonly number[]) => Tensor;
}

/** A contestant's name, version, and execution provider. */
export interface OrtPeer {
  readonly name: string;
  readonly version: string;
  readonly provider: string;
  /** Threads and instruction set. */
  readonly how: string;
}

/**
 * Creates a contestant of MatMul and TopK on one thread, with the gallery as a constant, in the faster of the
 * two orders of multiplication.
 */
export async function ortPeer(
  ort: Ort,
  {
    identity,
    gallery,
    queries,
  }: { readonly identity: OrtPeer; readonly gallery: Gallery; readonly queries: Queries },
): Promise<Peer> {
  const layouts: readonly MatchingModelOptions["layout"][] = ["columns", "rows"];
  return fastest(layouts.map((layout) => () => session(ort, { identity, gallery, queries, layout })));
}

async function session(
  ort: Ort,
  {
    identity,
    gallery,
    queries,
    layout,
  }: {
    readonly identity: OrtPeer;
    readonly gallery: Gallery;
    readonly queries: Queries;
    readonly layout: MatchingModelOptions["layout"];
  },
): Promise<Peer> {
  const top = Math.min(TOP, gallery.count);
  const model = matchingModel({ gallery, queries: queries.count, top, layout });
  const made = await ort.InferenceSession.create(model, {
    executionProviders: [identity.provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
  });
  const columns = layout === "columns";
  const shape = columns ? [queries.count, gallery.dimensions] : [gallery.dimensions, queries.count];
  const feeds = {
    queries: new ort.Tensor(
      "float32",
      columns ? queries.values : transposed(queries.values, gallery.dimensions),
      shape,
    ),
  };
  let rows: BigInt64Array | undefined;
  return {
    name: identity.name,
    version: identity.version,
    layout: `${identity.how}; gallery a constant of the model, ${columns ? "transposed, queries x gallery" : "row-major, gallery x transposed queries"}`,
    async run() {
      rows = (await made.run(feeds))["rows"]!.data as BigInt64Array;
    },
    top: () =>
      Array.from({ length: rows ? top : 0 }, (_, i) => Number(rows![columns ? i : i * queries.count])),
    dispose: () => made.release(),
  };
}
