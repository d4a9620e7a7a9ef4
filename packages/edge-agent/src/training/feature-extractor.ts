import { type Estimator, type EstimatorMetadata, type Tensor, type Tensors } from "@sedna-js/core";
import { abortable, createLifetime } from "@sedna-js/core/async";
import { readModel } from "#platform/onnx";
import { onnxEstimator, type OnnxEstimatorOptions } from "../onnx/onnx-estimator.ts";
import { cutOnnx } from "./cut-onnx.ts";

/** Features of a sample from a model: numbers, one tensor, or one tensor by name. Tensors are flattened. */
export type FeatureResult = Float32Array | Tensor | Tensors;

/** An ONNX model that extracts features. It is opened on first use. */
export interface OnnxFeatures<Sample> extends OnnxEstimatorOptions<Sample, FeatureResult> {
  /**
   * Inner value at which the model ends, such as a classifier's penultimate layer. Default: the model's own
   * output.
   */
  readonly output?: string;
}

/**
 * Source of features: an ONNX model; the caller's own estimator, which the caller disposes; or "samples" if
 * the samples are features already, as `Float32Array` or float32 tensors.
 */
export type FeatureSource<Sample> = "samples" | OnnxFeatures<Sample> | Estimator<Sample, FeatureResult>;

/** Extracts features from samples. */
export interface FeatureExtractor<Sample> {
  /** Returns the metadata of the feature model, or `undefined` if the samples are features already. */
  load(options: { readonly signal?: AbortSignal | undefined }): Promise<EstimatorMetadata | undefined>;
  /** Returns the features of each sample, in order. They may share memory with the samples. */
  extract(samples: readonly Sample[], options: { readonly signal: AbortSignal }): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/** Creates an extractor of features with `width` numbers per sample. */
export function featureExtractor<Sample>(
  source: FeatureSource<Sample>,
  { width }: { readonly width: number },
): FeatureExtractor<Sample> {
  if (source === "samples")
    return {
      load: async () => undefined,
      extract: async (samples) => samples.map((sample) => numbersOf(sample, width)),
      async dispose() {},
    };
  const isOurs = "model" in source;
  const estimator = isOurs ? onnxFeatures(source) : source;
  return {
    load: ({ signal }) => estimator.load(signal ? { signal } : {}),
    async extract(samples, { signal }) {
      const results: FeatureResult[] = [];
      if (estimator.predictBatch) results.push(...(await estimator.predictBatch(samples, { signal })));
      else for (const sample of samples) results.push(await estimator.predict(sample, { signal }));
      return results.map((result) => numbersOf(result, width));
    },
    dispose: async () => void (isOurs && (await estimator.dispose())),
  };
}

function onnxFeatures<Sample>(options: OnnxFeatures<Sample>): Estimator<Sample, FeatureResult> {
  const { output, model, ...rest } = options;
  if (output === undefined) return onnxEstimator({ model, ...rest });
  const life = createLifetime("use a feature model");
  let opening: Promise<Estimator<Sample, FeatureResult>> | undefined;
  const open = (): Promise<Estimator<Sample, FeatureResult>> => {
    life.signal.throwIfAborted();
    opening ??= (async () =>
      onnxEstimator({
        ...rest,
        model: cutOnnx(await readModel(model, { signal: life.signal }), output),
      }))().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  const dispose = async (): Promise<void> => {
    const opened = opening;
    life.end();
    await (await opened?.catch(() => undefined))?.dispose();
  };
  return {
    load: async (given) => (await abortable(open(), given?.signal)).load(given),
    predict: async (sample, given) => (await abortable(open(), given?.signal)).predict(sample, given),
    predictBatch: async (samples, given) =>
      (await abortable(open(), given?.signal)).predictBatch!(samples, given),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

function numbersOf(result: unknown, width: number): Float32Array {
  const fail = (got: string): never => {
    throw new TypeError(`extract features: expected ${width} float32 numbers; got ${got}`);
  };
  if (result instanceof Float32Array) return result.length === width ? result : fail(String(result.length));
  if (typeof result !== "object" || result === null) return fail(typeof result);
  if ("data" in result && "shape" in result) {
    const { data, shape } = result as Tensor;
    return data instanceof Float32Array && data.length === width
      ? data
      : fail(`${data?.constructor?.name} [${shape}]`);
  }
  const named = Object.entries(result);
  return named.length === 1
    ? numbersOf(named[0]![1], width)
    : fail(
        `${named.length} tensors: ${named.map(([name]) => name).join(", ")}. Name one of them as the output`,
      );
}
