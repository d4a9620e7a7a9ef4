import { onnxEstimator, tensors, type Tensors } from "@sedna-js/edge-agent";
import digits from "../../models/digits-little/model.onnx?url";
import person from "../../models/tiny-person/model.onnx?url";
import { expectClose, noise, type EngineCheck, type ExpectedOutputs } from "./engine-check.ts";
import { webgpuAdapter } from "./features.ts";

const models = { "digits-little": digits, "tiny-person": person } as const;

/** Compares a model's output on one provider with the output of Node's ONNX Runtime for the same input. */
async function compare(
  name: keyof typeof models,
  { provider, tolerance }: { readonly provider: "wasm" | "webgpu"; readonly tolerance: number },
): Promise<string> {
  const all = (await (await fetch("./expected.json")).json()) as ExpectedOutputs;
  const { input, shape, seed, output, values } = all[name]!;
  const estimator = onnxEstimator<Tensors, Tensors>({
    model: new URL(models[name], location.href),
    task: tensors(),
    executionProviders: [provider],
  });
  const { backend } = await estimator.load();
  if (backend !== provider) throw new Error(`expected ${provider}; got ${backend}`);
  const answer = await estimator.predict({
    [input]: {
      dtype: "float32",
      shape: [...shape],
      data: noise(
        shape.reduce((product, side) => product * side, 1),
        seed,
      ),
    },
  });
  const worst = expectClose(answer[output]!.data as Float32Array, values, tolerance);
  await estimator.dispose();
  return `worst error ${worst.toExponential(1)}`;
}

const needsWebgpu = async (): Promise<string | undefined> => ((await webgpuAdapter()) ? undefined : "WebGPU");

/** Checks of small models on ONNX Runtime. */
export const onnxChecks: readonly EngineCheck[] = [
  {
    name: "digits-little gives the same output on WASM as in Node",
    run: () => compare("digits-little", { provider: "wasm", tolerance: 1e-4 }),
  },
  {
    name: "tiny-person gives the same output on WASM as in Node",
    run: () => compare("tiny-person", { provider: "wasm", tolerance: 1e-4 }),
  },
  {
    name: "digits-little gives the same output on WebGPU as in Node",
    lacks: needsWebgpu,
    run: () => compare("digits-little", { provider: "webgpu", tolerance: 1e-3 }),
  },
];
