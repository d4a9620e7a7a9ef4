import { SednaError, WireError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { parsePredictRequest, SednaValidationError, type SednaModelInfo } from "@sedna-js/core/wire";
import type { Context, Hono } from "hono";
import type { Served } from "./served.ts";
import { toFailure } from "../http/failure.ts";
import type { ServiceContext } from "../http/service.ts";

/**
 * Postprocessing that a client names in `callback`: receives the result's rows and returns the rows to send.
 */
export type SednaCallback = (result: unknown[]) => unknown[];

/**
 * Mounts Sedna's REST API. `GET /<name>` lists the routes. `POST /<name>/predict` accepts `{"data": [...]}`
 * or, beyond Sedna, an encoded picture as the body, and responds with `{"result": [...]}`. Invalid input gets
 * 422 with pydantic's error format; an internal failure gets a plain 500. Source: Sedna's `InferenceServer`.
 */
export function mountSedna(
  app: Hono,
  served: Served,
  {
    metrics,
    logger,
    callbacks,
  }: ServiceContext & { readonly callbacks: Readonly<Record<string, SednaCallback>> },
): void {
  const root = `/${served.name}`;
  const info: SednaModelInfo = {
    infos: [
      { path: root, name: "model_info" },
      { path: `${root}/predict`, name: "predict" },
    ],
  };
  const count = (code: number): void =>
    metrics.add("sedna_requests_total", { model: served.name, protocol: "sedna", code: String(code) });

  app.get(root, (c) => c.json(info));
  app.post(`${root}/predict`, async (c) => {
    const response = await predict(c).catch((error: unknown) => refuse(c, error));
    count(response.status);
    return response;
  });
  app.all(`${root}/predict`, (c) => c.json({ detail: "Method Not Allowed" }, 405, { allow: "POST" }));

  const predict = async (c: Context): Promise<Response> => {
    const { signal } = c.req.raw;
    const model = served.model();
    if (c.req.header("content-type")?.toLowerCase().startsWith("image/")) {
      const bytes = new Uint8Array(await c.req.arrayBuffer());
      return c.json({ result: model.toNested(await served.infer(() => model.fromImage(bytes), { signal })) });
    }
    const { data, callback } = parsePredictRequest(await readJson(c));
    const finish = callback ? callbacks[callback] : undefined;
    if (callback && (!finish || !Object.hasOwn(callbacks, callback))) {
      logger.error({ callback, known: Object.keys(callbacks) }, "a client asked for an unknown callback");
      return c.text("Internal Server Error", 500);
    }
    const sample = model.fromNested(data);
    const rows = model.toNested(await served.infer(() => sample, { signal }));
    return c.json({ result: finish ? finish(rows) : rows });
  };

  const refuse = (c: Context, error: unknown): Response => {
    if (error instanceof SednaValidationError) return c.json({ detail: error.detail }, 422);
    if (error instanceof WireError)
      return c.json({ detail: [{ loc: ["body", "data"], msg: error.message, type: "value_error" }] }, 422);
    const failure = toFailure(error, {
      logger,
      aborted: c.req.raw.signal.aborted && !(error instanceof SednaError),
    });
    if (failure.status === 500) return c.text("Internal Server Error", 500);
    return c.json({ detail: failure.message }, failure.status as 503, failure.headers);
  };
}

async function readJson(c: Context): Promise<unknown> {
  const text = await c.req.text();
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = messageOf(error);
    throw new SednaValidationError(
      `read a predict request: expected JSON; got ${text.length} characters that are not JSON`,
      [{ loc: ["body"], msg: `Expecting JSON: ${why}`, type: "value_error.jsondecode" }],
    );
  }
}
