import { WORKER_REPORT_TYPE } from "@sedna-js/core/wire";
import { baseUrl } from "../http/base-url.ts";
import type { DiagnosedServer, DiagnoseOptions } from "./diagnose-options.ts";
import { runChecks, type HealthCheck, type RunCheck } from "./health-check.ts";

/** Maximum skew of the clock for signatures and tokens, in ms. */
const MAX_SKEW_MS = 300_000;

/**
 * Runs the checks that use the network: the servers, the clock against the server's, and the model's
 * signature.
 */
export function serverChecks(options: DiagnoseOptions): Promise<readonly HealthCheck[]> {
  const {
    bigModel,
    samples,
    localController,
    model,
    deadlineMs = 5000,
    fetch = (input, init) => globalThis.fetch(input, init),
    wallNow = Date.now,
  } = options;
  const get = async (url: string, headers: Record<string, string> = {}): Promise<Response> => {
    const response = await fetch(url, {
      headers,
      signal: AbortSignal.timeout(deadlineMs),
      redirect: "error",
    }).catch((error: unknown) => {
      const { cause, message = String(error) } = error as {
        readonly cause?: { readonly message?: string };
        readonly message?: string;
      };
      throw new Error(`${url} does not respond: ${cause?.message || message}`);
    });
    // Only the headers are needed. Cancel the body to free the connection.
    await response.body?.cancel();
    return response;
  };
  const checks: Record<string, RunCheck> = {
    ...(bigModel && {
      "big model": () => checkBigModel(bigModel, get),
      clock: () => checkClock(bigModel, { get, wallNow }),
    }),
    ...(samples && { "sample service": () => checkServer(samples, get) }),
    ...(localController && { "local controller": () => checkController(localController, get) }),
    ...(model && { model: () => checkModel(model, deadlineMs) }),
  };
  return runChecks(checks);
}

type Get = (url: string, headers?: Record<string, string>) => Promise<Response>;

async function checkServer({ url, token }: DiagnosedServer, get: Get): ReturnType<RunCheck> {
  const base = baseUrl(url);
  const ready = await get(`${base}/v2/health/ready`);
  if (ready.status === 503)
    return {
      status: "warn",
      found: `${base} responds but is not ready yet`,
      fix: "wait, or check the server's log",
    };
  if (!ready.ok)
    return {
      status: "fail",
      found: `${base}/v2/health/ready answers ${ready.status}`,
      fix: "check the URL: it is the server's root, without a path",
    };
  const asked = await get(`${base}/v2`, token === undefined ? {} : { authorization: `Bearer ${token}` });
  if (asked.status === 401 || asked.status === 403)
    return {
      status: "fail",
      found: `${base} rejects ${token === undefined ? "without a token" : "the token"}`,
      fix: "set token to the one that the server was started with",
    };
  if (token !== undefined && base.startsWith("http:") && !/^http:\/\/(localhost|127\.|\[::1\])/.test(base))
    return { status: "warn", found: `${base} is ready; the token is sent unencrypted`, fix: "use https" };
  return { status: "ok", found: `${base} is ready` };
}

async function checkBigModel(
  server: NonNullable<DiagnoseOptions["bigModel"]>,
  get: Get,
): ReturnType<RunCheck> {
  const { url, protocol = "sedna", model = "sedna", token } = server;
  const name = `${baseUrl(url)}/${protocol === "sedna" ? model : `v2/models/${model}`}`;
  // Sedna's own server has no health endpoint, but it responds at the path of the model's name.
  const listed = await get(name, token === undefined ? {} : { authorization: `Bearer ${token}` });
  if (protocol === "sedna" && listed.ok && (await get(`${baseUrl(url)}/v2/health/ready`)).status === 404)
    return { status: "ok", found: `${name} responds as Sedna's server does` };
  const ready = await checkServer(server, get);
  if (ready.status === "fail" || listed.ok || listed.status === 503) return ready;
  return {
    status: "fail",
    found: `${name} answers ${listed.status}`,
    fix: "check bigModel.model and bigModel.protocol: the server has no such model",
  };
}

async function checkClock(
  { url }: DiagnosedServer,
  { get, wallNow }: { readonly get: Get; readonly wallNow: () => number },
): ReturnType<RunCheck> {
  const started = wallNow();
  const date = Date.parse((await get(`${baseUrl(url)}/v2/health/ready`)).headers.get("date") ?? "");
  if (Number.isNaN(date)) return { status: "ok", found: "the server sends no time to compare with" };
  // The header has a resolution of one second and is as old as the response's travel time.
  const skew = Math.max(0, started - date - 1000, date - wallNow());
  const found = `${skew < 2000 ? "agrees with" : `${Math.round(skew / 1000)} s ${started > date ? "ahead of" : "behind"}`} the server's`;
  if (skew < 30_000) return { status: "ok", found };
  return {
    status: skew > MAX_SKEW_MS ? "fail" : "warn",
    found,
    fix: "set the clock: on Linux `timedatectl set-ntp true`",
  };
}

async function checkController({ url }: { readonly url: string | URL }, get: Get): ReturnType<RunCheck> {
  // A controller has no GET endpoint, so without a report only its HTTP response can be checked.
  const { status } = await get(baseUrl(url), { accept: WORKER_REPORT_TYPE });
  return { status: "ok", found: `${baseUrl(url)} answers (${status})` };
}

async function checkModel(
  model: NonNullable<DiagnoseOptions["model"]>,
  deadlineMs: number,
): ReturnType<RunCheck> {
  const { name, version } = await model.check({ signal: AbortSignal.timeout(deadlineMs) });
  return { status: "ok", found: `${name} version ${version}, signed by a key of the job` };
}
