import type { Tensors } from "@sedna-js/edge-agent";
import type { GoldenReply, GoldenRequest } from "./golden.worker.ts";

/**
 * Runs a model once in a temporary Worker and returns its outputs.
 *
 * @throws {Error} If the model fails, with its error message.
 */
export async function runOnce(question: GoldenRequest): Promise<Tensors> {
  const worker = new Worker(new URL("./golden.worker.ts", import.meta.url), { type: "module" });
  try {
    const answer = await new Promise<GoldenReply>((resolve, reject) => {
      worker.addEventListener("message", ({ data }: MessageEvent<GoldenReply>) => resolve(data));
      worker.addEventListener("error", ({ message }) =>
        reject(
          new Error(`run a model once: expected a Worker; got ${message || "one that could not be loaded"}`),
        ),
      );
      worker.postMessage(question);
    });
    if ("error" in answer) throw new Error(answer.error);
    return answer.outputs;
  } finally {
    worker.terminate();
  }
}
