import { messageOf, SednaError } from "../errors.ts";
import type { OnnxRuntime, OnnxSession } from "../estimator/onnx-session.ts";
import { arrayOf, type DType, type Tensor, type TensorData, type TensorSpec } from "../tensor.ts";

/** The used subset of `onnxruntime-common`, which both packages share. */
export interface OrtModule {
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OrtSession>;
  };
  readonly Tensor: new (type: never, data: never, dims: readonly number[]) => OrtTensor;
  /** With WebGPU, from the first session on: the device that all sessions share. */
  readonly env?: {
    readonly webgpu?: {
      readonly device?: PromiseLike<{
        readonly lost: PromiseLike<{ readonly reason: string; readonly message: string }>;
      }>;
    };
  };
}

interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  getData(): Promise<unknown>;
  dispose(): void;
}

interface OrtValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

interface OrtSession {
  readonly inputMetadata: readonly OrtValueMetadata[];
  readonly outputMetadata: readonly OrtValueMetadata[];
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

/** Options of {@link onnxRuntime}. */
export interface OnnxRuntimeOptions {
  /** Execution providers in order. The first provider that can open the model runs it. */
  readonly executionProviders: readonly string[];
  /** Further options of `InferenceSession.create`. */
  readonly sessionOptions?: Readonly<Record<string, unknown>>;
  /** Called when a provider could not open a model, before the next provider is tried. */
  readonly onFallback?: (event: {
    readonly from: string;
    readonly to: string;
    readonly error: unknown;
  }) => void;
}

/** Wraps the ONNX Runtime module that the caller imported: `onnxruntime-web` or `onnxruntime-node`. */
export function onnxRuntime(
  ort: OrtModule,
  { executionProviders, sessionOptions, onFallback }: OnnxRuntimeOptions,
): OnnxRuntime {
  return {
    async createSession(model, { externalData } = {}) {
      if (model.length === 0) throw unreadable("0 bytes");
      let failure: unknown;
      for (const [i, provider] of executionProviders.entries()) {
        try {
          const session = await ort.InferenceSession.create(model, {
            ...sessionOptions,
            ...(externalData && { externalData }),
            executionProviders: [provider],
          });
          return await wrapSession(ort, session, provider);
        } catch (error) {
          if (error instanceof SednaError) throw error;
          failure = error;
          const next = executionProviders[i + 1];
          if (next !== undefined) onFallback?.({ from: provider, to: next, error });
        }
      }
      const why = messageOf(failure);
      throw unreadable(`${model.length} bytes that ONNX Runtime rejects: ${why}`, failure);
    },
  };
}

function unreadable(got: string, cause?: unknown): SednaError {
  return new SednaError(`open a model: expected an ONNX file; got ${got}`, {
    code: "model-unreadable",
    cause,
  });
}

async function wrapSession(ort: OrtModule, session: OrtSession, backend: string): Promise<OnnxSession> {
  let specs: Pick<OnnxSession, "inputs" | "outputs">;
  try {
    specs = { inputs: session.inputMetadata.map(toSpec), outputs: session.outputMetadata.map(toSpec) };
  } catch (error) {
    await session.release();
    throw error;
  }
  return {
    ...specs,
    backend,
    batches: haveOneBatchAxis([...session.inputMetadata, ...session.outputMetadata]),
    async run(feeds) {
      const inputs: Record<string, OrtTensor> = {};
      for (const [name, { dtype, shape, data }] of Object.entries(feeds))
        inputs[name] = new ort.Tensor(dtype as never, data as never, shape);
      const results = await session.run(inputs);
      const outputs: Record<string, Tensor> = {};
      for (const [name, result] of Object.entries(results)) {
        outputs[name] = {
          dtype: result.type as DType,
          shape: result.dims,
          data: (await result.getData()) as TensorData,
        };
        result.dispose();
      }
      return outputs;
    },
    release: () => session.release(),
  };
}

/**
 * Returns true if all first axes are the same free axis. Free axes with different names may have different
 * lengths, so such a model is not batched.
 */
function haveOneBatchAxis(values: readonly OrtValueMetadata[]): boolean {
  const [first] = values.map(({ shape }) => shape?.[0]);
  return typeof first === "string" && first !== "" && values.every(({ shape }) => shape?.[0] === first);
}

function toSpec({ name, type, shape = [] }: OrtValueMetadata): TensorSpec {
  if (type === undefined || !Object.hasOwn(arrayOf, type)) {
    throw new SednaError(
      `open a model: expected elements of ${Object.keys(arrayOf).join(", ")}; got ${name} of ${type ?? "no tensor type"}`,
      { code: "model-mismatch" },
    );
  }
  return { name, dtype: type as DType, shape: shape.map((axis) => (typeof axis === "number" ? axis : -1)) };
}
