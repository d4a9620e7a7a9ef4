import { createOnnxEstimator, SednaError, select, type Estimator, type Task } from "@sedna-js/core";
import { onnxRuntime, type OrtModule } from "@sedna-js/core/adapters/onnx-runtime";
import { expose, type Endpoint } from "comlink";
import { holdAliveLock, ownerEndpoint } from "#platform/worker";
import { importOnnxRuntime, sessionOptions } from "#platform/onnx";
import { modelTasks, type ModelTasks } from "@sedna-js/core/vision";
import { handleCalls } from "./handle-calls.ts";
import type { DeviceLoss, ModelToOpen, RemoteModelHost } from "./protocol.ts";
import { reply } from "./reply.ts";

/**
 * Inside a Worker: opens the one model that the Worker's owner, `superviseModel()`, selects, and serves it. A
 * Worker never opens a second model, because ONNX Runtime releases its memory only when the Worker ends.
 */
export function exposeModelHost({ tasks = modelTasks }: { readonly tasks?: ModelTasks } = {}): void {
  let estimator: Estimator<unknown, unknown> | undefined;
  let runtime: OrtModule | undefined;

  const remote: RemoteModelHost = {
    live: (name) => reply(() => holdAliveLock(name)),
    open: (given) =>
      reply(async () => {
        if (estimator)
          throw new TypeError("open a model in a worker: expected a single model; this worker has one");
        const task = select(tasks, {
          method: given.task.name,
          param: given.task.options ?? {},
        } as never) as Task<unknown, unknown>;
        estimator = hostedEstimator(given, { task, onRuntime: (ort) => (runtime = ort) });
        return estimator.load();
      }),
    lost: () => reply(() => deviceLoss(runtime)),
    ...handleCalls(() => {
      if (!estimator) throw new TypeError("run a model in a worker: expected open() first; got none");
      return estimator;
    }),
  };
  expose(remote, ownerEndpoint() as Endpoint);
}

function hostedEstimator(
  given: ModelToOpen,
  { task, onRuntime }: { readonly task: Task<unknown, unknown>; onRuntime(ort: OrtModule): void },
): Estimator<unknown, unknown> {
  // Drop the files after they are read, because ONNX Runtime copies them.
  let files: Pick<ModelToOpen, "model" | "externalData"> | undefined = given;
  const { executionProvider, threads } = given;

  return createOnnxEstimator({
    task,
    async open() {
      if (!files)
        throw new SednaError(
          "run the model: expected a live session; it failed, and its worker cannot open another",
          { code: "run-failed", retryable: true },
        );
      const { model, externalData } = files;
      files = undefined;
      const ort = await importOnnxRuntime([executionProvider]);
      onRuntime(ort);
      const options = sessionOptions(threads === undefined ? {} : { threads });
      const opened = onnxRuntime(ort, { executionProviders: [executionProvider], sessionOptions: options });
      return { runtime: opened, model, ...(externalData.length > 0 && { externalData }) };
    },
  });
}

/** Resolves when the GPU device of ONNX Runtime is lost. Never resolves without a device. */
async function deviceLoss(runtime: OrtModule | undefined): Promise<DeviceLoss> {
  const device = await runtime?.env?.webgpu?.device;
  if (!device) return new Promise(() => {});
  const { reason, message } = await device.lost;
  return { reason, message };
}
