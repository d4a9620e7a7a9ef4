import { type DecodeImage, type Estimator, SednaError, type Tensor, WireError } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import type { Service } from "../http/service.ts";
import { type Batcher, type BatcherOptions, createBatcher } from "./batcher.ts";
import { mountOpenInference } from "./open-inference-routes.ts";
import { mountSedna, type SednaCallback } from "./sedna-routes.ts";
import {
  closeServed,
  type ServedEstimator,
  servedModel,
  type ServedModel,
  type ServedResult,
  type ServedSample,
} from "./served-model.ts";
import type { Served } from "./served.ts";

/** Options of {@link bigModelService}. */
export interface BigModelServiceOptions extends Pick<
  BatcherOptions<never, never>,
  "maxBatch" | "maxDelayMs" | "maxQueue"
> {
  /** Detector for pictures, or a model from tensors to tensors. */
  readonly estimator: ServedEstimator;
  /** Name of the model in both protocols. Default `sedna`, which Sedna's clients use. */
  readonly name?: string;
  /** Decodes encoded pictures. Use `sharpDecoder()` in Node. */
  readonly decodeImage?: DecodeImage;
  /** Postprocessing functions that a Sedna client may name in `callback`. */
  readonly callbacks?: Readonly<Record<string, SednaCallback>>;
}

type Read = () => ServedSample | Promise<ServedSample>;

/** Names that a model cannot have, because the cloud uses their paths. */
const reserved = ["v2", "metrics", ".", ".."];

/**
 * Creates a service that serves a big model to edges over Sedna's REST API and the Open Inference Protocol,
 * version 2, through one bounded, batching queue. Source: Sedna's `BigModelService` and `InferenceServer`.
 */
export function bigModelService({
  estimator,
  name = "sedna",
  decodeImage,
  callbacks = {},
  ...limits
}: BigModelServiceOptions): Service {
  if (!/^[\w.-]+$/.test(name) || reserved.includes(name))
    throw new RangeError(
      `name a big model: expected letters, digits, ".", "_" and "-", and none of v2, metrics; got ${JSON.stringify(name)}`,
    );
  const worker = estimator as Estimator<ServedSample, ServedResult>;
  let loaded: ServedModel | undefined;
  let closed = false;
  let observe: (event: { readonly size: number; readonly seconds: number }) => void = () => {};

  const run = async (reads: readonly Read[]): Promise<readonly ServedResult[]> => {
    const samples: ServedSample[] = [];
    try {
      for (const read of reads) samples.push(await read());
      if (samples.length > 1 && worker.predictBatch) return await worker.predictBatch(samples);
      const results: ServedResult[] = [];
      for (const sample of samples) results.push(await worker.predict(sample));
      return results;
    } finally {
      samples.forEach(closeServed);
    }
  };
  const open = (batches: boolean): Batcher<Read, ServedResult> =>
    // A model that runs one sample at a time gains nothing from waiting for more samples.
    createBatcher({ ...limits, ...(batches ? {} : { maxBatch: 1 }), run, onRun: (event) => observe(event) });
  let batcher: Batcher<Read, ServedResult> | undefined;

  const served: Served = {
    name,
    get ready() {
      return loaded !== undefined && !closed;
    },
    model() {
      if (!loaded)
        throw new SednaError(`run the model ${name}: expected a loaded model; it is still loading`, {
          code: "cloud-busy",
          retryable: true,
          retryAfterMs: 1000,
        });
      return loaded;
    },
    async infer(read, options) {
      served.model();
      return batcher!.submit(read, options);
    },
  };

  return {
    name,
    get ready() {
      return served.ready;
    },
    async start() {
      const metadata = await worker.load();
      batcher = open(metadata.batches ?? false);
      loaded = servedModel(metadata, { decodeImage, frame: frameOfPixels });
    },
    mount(app, { metrics, logger }) {
      observe = ({ size, seconds }) => {
        metrics.observe("sedna_inference_seconds", { model: name }, seconds);
        metrics.add("sedna_inference_samples_total", { model: name }, size);
      };
      metrics.gauge("sedna_queue_samples", { model: name }, () => batcher?.waiting ?? 0);
      mountSedna(app, served, { metrics, logger, callbacks });
      mountOpenInference(app, served, { metrics, logger });
    },
    async close() {
      closed = true;
      await batcher?.close();
      await worker.dispose();
    },
  };
}

/**
 * Returns a UINT8 tensor of shape [height,width,3] or [height,width,4] as a frame.
 * @throws {WireError} If the tensor has another type or shape.
 */
function frameOfPixels({ dtype, shape, data }: Tensor): ReturnType<typeof pixelsFrame> {
  const [height, width, channels] = shape;
  if (dtype !== "uint8" || shape.length !== 3 || !height || !width || (channels !== 3 && channels !== 4))
    throw new WireError(`read a picture: expected UINT8 [height,width,3]; got ${dtype} [${shape}]`);
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0, from = 0; i < rgba.length; i += 4, from += channels)
    for (let c = 0; c < channels; c++) rgba[i + c] = Number(data[from + c]);
  return pixelsFrame({ width, height, data: rgba });
}
