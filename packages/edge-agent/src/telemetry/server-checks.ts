import { WORKER_REPORT_TYPE } from "@sedna-js/core/wire";
import { baseUrl } from "../http/base-url.ts";
import type { DiagnosedServer, DiagnoseOptions } from "./doctor.ts";
import { runChecks, type HealthCheck, type RunCheck } from "./health-check.ts";

/** A signature's clock and a token's may differ by this much, and no more. */
const MAX_SKEW_MS = 300_000;

/** The doctor's part that asks others: the servers, the clock by theirs, the model's signature. */
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
      throw new Error(`${url} doesn't answer: ${cause?.message || message}`);
    });
    // Only the head is of interest; the connection is given back.
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
      found: `${base} answers, and is not ready yet`,
      fix: "wait, or look at the server's log",
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
      found: `${base} refuses ${token === undefined ? "without a token" : "the token"}`,
      fix: "set token to the one that the server was started with",
    };
  if (token !== undefined && base.startsWith("http:") && !/^http:\/\/(localhost|127\.|\[::1\])/.test(base))
    return { status: "warn", found: `${base} is ready; the token travels in the clear`, fix: "use https" };
  return { status: "ok", found: `${base} is ready` };
}

async function checkBigModel(
  server: NonNullable<DiagnoseOptions["bigModel"]>,
  get: Get,
): ReturnType<RunCheck> {
  const { url, protocol = "sedna", model = "sedna", token } = server;
  const name = `${baseUrl(url)}/${protocol === "sedna" ? model : `v2/models/${model}`}`;
  // Sedna's own server has no health, but lists what it has under its name.
  const listed = await get(name, token === undefined ? {} : { authorization: `Bearer ${token}` });
  if (protocol === "sedna" && listed.ok && (await get(`${baseUrl(url)}/v2/health/ready`)).status === 404)
    return { status: "ok", found: `${name} answers, as Sedna's server does` };
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
  if (Number.isNaN(date)) return { status: "ok", found: "the server tells no time to compare with" };
  // The header has whole seconds, and is as old as the way back took.
  const skew = Math.max(0, started - date - 1000, date - wallNow());
  const found = `${skew < 2000 ? "agrees with" : `${Math.round(skew / 1000)} s ${started > date ? "ahead of" : "behind"}`} the server's`;
  if (skew < 30_000) return { status: "ok", found };
  return {
    status: skew > MAX_SKEW_MS ? "fail" : "warn",
    found,
    fix: "set the time: on Linux `timedatectl set-ntp true`",
  };
}

async function checkController({ url }: { readonly url: string | URL }, get: Get): ReturnType<RunCheck> {
  // A controller has no page for GET; that it speaks HTTP is all that can be found out without a report.
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
