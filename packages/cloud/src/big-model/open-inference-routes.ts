import { WireError } from "@sedna-js/core";
import {
  formatInferResponse,
  INFERENCE_HEADER_LENGTH,
  parseInferRequest,
  toOipMetadata,
  type OipInferRequest,
} from "@sedna-js/core/wire";
import type { Context, Hono } from "hono";
import type { Served } from "./served.ts";
import { toFailure } from "../http/failure.ts";
import type { ServiceContext } from "../http/service.ts";

/** The single version of every model. */
const VERSION = "1";

/**
 * Mounts the routes of the Open Inference Protocol, version 2, for one model: metadata, readiness and
 * `infer`, with JSON and with the binary tensor extension, in both directions. Source:
 * kserve/open-inference-protocol.
 */
export function mountOpenInference(app: Hono, served: Served, { metrics, logger }: ServiceContext): void {
  const { name } = served;
  const count = (code: number): void =>
    metrics.add("sedna_requests_total", { model: name, protocol: "oip", code: String(code) });

  const metadata = (c: Context): Response => {
    if (!served.ready)
      return c.json({ error: `the model ${name} is not ready` }, 503, { "retry-after": "1" });
    const { inputs, outputs } = served.model();
    return c.json({
      name,
      versions: [VERSION],
      platform: "onnxruntime_onnx",
      inputs: toOipMetadata(inputs),
      outputs: toOipMetadata(outputs),
    });
  };
  const ready = (c: Context): Response =>
    served.ready
      ? c.json({ name, ready: true })
      : c.json({ name, ready: false }, 503, { "retry-after": "1" });
  const infer = async (c: Context): Promise<Response> => {
    const response = await answer(c).catch((error: unknown) => {
      const { status, message, headers } = toFailure(error, {
        logger,
        aborted: c.req.raw.signal.aborted && !(error instanceof WireError),
      });
      return c.json({ error: message }, status as 400, headers);
    });
    count(response.status);
    return response;
  };

  const answer = async (c: Context): Promise<Response> => {
    const model = served.model();
    const length = c.req.header(INFERENCE_HEADER_LENGTH);
    if (length !== undefined && !/^\d+$/.test(length))
      throw new WireError(
        `infer: expected ${INFERENCE_HEADER_LENGTH} as a whole number; got ${JSON.stringify(length)}`,
      );
    const request = parseInferRequest(
      new Uint8Array(await c.req.arrayBuffer()),
      length === undefined ? undefined : Number(length),
    );
    const isImage = Object.values(request.inputs).some(({ dtype }) => dtype === "bytes");
    const sample = isImage ? undefined : await model.fromTensors(request.inputs);
    const result = model.toTensors(
      await served.infer(() => sample ?? model.fromTensors(request.inputs), { signal: c.req.raw.signal }),
    );
    const { outputs, isBinary } = wanted(request, result);
    const { body, headerLength } = formatInferResponse(
      {
        modelName: name,
        modelVersion: VERSION,
        outputs,
        ...(request.id === undefined ? {} : { id: request.id }),
      },
      isBinary,
    );
    if (headerLength === undefined) return c.body(body, 200, { "content-type": "application/json" });
    return c.body(body, 200, {
      "content-type": "application/octet-stream",
      [INFERENCE_HEADER_LENGTH]: String(headerLength),
    });
  };

  for (const path of [`/v2/models/${name}`, `/v2/models/${name}/versions/${VERSION}`]) {
    app.get(path, metadata);
    app.get(`${path}/ready`, ready);
    app.post(`${path}/infer`, infer);
    app.all(`${path}/infer`, (c) => c.json({ error: "infer: expected POST" }, 405, { allow: "POST" }));
  }
}

/** Returns the outputs that a request asks for, and which of them are sent as binary. */
function wanted<Value>(
  { outputs, binaryOutputs }: OipInferRequest,
  all: Readonly<Record<string, Value>>,
): { outputs: Record<string, Value>; isBinary: (name: string) => boolean } {
  if (outputs.length === 0) return { outputs: { ...all }, isBinary: () => binaryOutputs };
  const picked: Record<string, Value> = {};
  for (const { name } of outputs) {
    if (!Object.hasOwn(all, name))
      throw new WireError(
        `infer: expected outputs of ${Object.keys(all).join(", ")}; got ${JSON.stringify(name)}`,
      );
    picked[name] = all[name]!;
  }
  const wish = new Map(outputs.map(({ name, binary }) => [name, binary]));
  return { outputs: picked, isBinary: (name) => wish.get(name) ?? binaryOutputs };
}
