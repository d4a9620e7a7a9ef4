import { type JointStatistics, SednaError } from "@sedna-js/core";
import { checkDeadline, readChunks, withDeadline } from "@sedna-js/core/async";
import { messageOf, toPlainError } from "@sedna-js/core/errors";
import {
  type ReportOwner,
  WORKER_REPORT_TYPE,
  type WorkerReport,
  workerReportPath,
  writeWorkerReport,
} from "@sedna-js/core/wire";
import type { ReportEvent } from "./report-events.ts";

/** Options of {@link createSednaReporter}. */
export interface SednaReporterOptions {
  /** URL of the local controller, such as `http://127.0.0.1:9100`. */
  readonly url: string | URL;
  /** Name of this worker: letters, digits, ".", "_", "-". */
  readonly worker: string;
  /** Kubernetes namespace. Default `default`. */
  readonly namespace?: string;
  /** Name of the service in Sedna to which the numbers belong. */
  readonly ownerName: string;
  /** Kind of the service. Default `jointinferenceservice`. */
  readonly ownerKind?: string;
  /** Returns the totals. Called when a report is due. */
  readonly stats: () => Pick<JointStatistics, "inferenceNumber" | "hardExampleNumber" | "uploadCloudRatio">;
  /** Time between reports, in ms. Default 30000, Sedna's LC_PERIOD. */
  readonly periodMs?: number;
  /** Timeout of one request, in ms. Default 10000. */
  readonly deadlineMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Wall clock for the times in reports: unix time in ms. */
  readonly wallNow?: () => number;
  readonly onEvent?: (event: ReportEvent) => void;
}

/** Reports to Sedna's local controller until it is stopped. */
export interface SednaReporter extends AsyncDisposable {
  /**
   * Reports that a model was replaced while the worker ran, or that the replacement failed. Only the latest
   * call is reported.
   */
  deployed(deploy: { readonly status: "completed" | "failed" }): void;
  /**
   * Sends what was not reported yet, waits for at most `deadlineMs` (default 2000), and stops. Never rejects.
   * Further calls return the same promise.
   */
  stop(options?: { readonly deadlineMs?: number }): Promise<void>;
}

/** Kinds that a local controller has a manager for. It responds with 200 to other kinds and drops them. */
const ownerKinds = [
  "jointinferenceservice",
  "federatedlearningjob",
  "incrementallearningjob",
  "lifelonglearningjob",
];

/** Maximum response size. A local controller's response has about a hundred bytes. */
const MAX_REPLY_BYTES = 4096;

/**
 * Validates the target and the owner of the reports.
 *
 * @throws {TypeError} If `url` is not a valid URL.
 * @throws {RangeError} If a name, kind, or period is one that the controller would reject or drop.
 */
export function resolveReporting({
  url,
  worker,
  namespace = "default",
  ownerName,
  ownerKind = "jointinferenceservice",
  periodMs = 30_000,
}: Pick<SednaReporterOptions, "url" | "worker" | "namespace" | "ownerName" | "ownerKind" | "periodMs">): {
  readonly target: string;
  readonly owner: ReportOwner;
  readonly periodMs: number;
} {
  for (const [what, name] of Object.entries({ worker, namespace, ownerName })) {
    if (!/^[\w-][\w.-]*$/.test(name))
      throw new RangeError(
        `report to Sedna: expected ${what} of letters, digits, ".", "_" and "-"; got ${JSON.stringify(name)}`,
      );
  }
  if (!ownerKinds.includes(ownerKind))
    throw new RangeError(
      `report to Sedna: expected ownerKind as one of ${ownerKinds.join(", ")}; got ${JSON.stringify(ownerKind)}`,
    );
  if (!(periodMs > 0 && periodMs < 2 ** 31))
    throw new RangeError(`report to Sedna: expected periodMs above 0 and below 2147483648; got ${periodMs}`);
  const target = new URL(String(url).replace(/\/*$/, workerReportPath(worker))).href;
  return { target, owner: { name: worker, namespace, ownerName, ownerKind }, periodMs };
}

/**
 * Sends totals to Sedna's local controller in each period with changes, as Sedna's `LCReporter` does. Unlike
 * `LCReporter`, it counts each sample once, uses the service instead of "sedna" as the owner, limits each
 * request by a deadline, and retries an unreachable controller in the next period. An unsent report is not
 * stored, because the next totals include it.
 *
 * @throws {TypeError | RangeError} If {@link resolveReporting} rejects the options.
 */
export function createSednaReporter({
  stats,
  deadlineMs = 10_000,
  fetch = (input, init) => globalThis.fetch(input, init),
  wallNow = Date.now,
  onEvent = () => {},
  ...where
}: SednaReporterOptions): SednaReporter {
  const { target, owner, periodMs } = resolveReporting(where);
  checkDeadline(deadlineMs);
  const reported = { inferenceNumber: 0, hardExampleNumber: 0, at: wallNow() };
  const life = new AbortController();
  let deploy: { readonly status: "completed" | "failed" } | undefined;
  let timer: unknown;
  let sending: Promise<void> = Promise.resolve();
  let ending: Promise<void> | undefined;

  const tell = (event: ReportEvent): void => {
    try {
      onEvent(event);
    } catch {
      // A listener's mistake must not end the reports, which is how Sedna's own thread dies.
    }
  };
  const send = async (report: WorkerReport & { readonly kind: "inference" | "deploy" }): Promise<boolean> => {
    const { kind } = report;
    try {
      await withDeadline((limit) => post(target, { body: writeWorkerReport(report), fetch, signal: limit }), {
        deadlineMs,
        action: `report to Sedna at ${target}`,
        signal: life.signal,
      });
      tell({ type: "report-sent", kind });
      return true;
    } catch (error) {
      tell({ type: "report-failed", kind, error: toPlainError(error) });
      return false;
    }
  };
  const report = async (): Promise<void> => {
    const deployed = deploy;
    if (deployed && (await send({ ...owner, kind: "deploy", ...deployed })) && deploy === deployed)
      deploy = undefined;
    const { inferenceNumber, hardExampleNumber, uploadCloudRatio } = stats();
    const updateTime = wallNow();
    const quiet =
      inferenceNumber === reported.inferenceNumber && hardExampleNumber === reported.hardExampleNumber;
    if (
      quiet ||
      (await send({
        ...owner,
        kind: "inference",
        ownerInfo: {
          startTime: reported.at,
          updateTime,
          inferenceNumber,
          hardExampleNumber,
          uploadCloudRatio,
        },
      }))
    ) {
      Object.assign(reported, { inferenceNumber, hardExampleNumber, at: updateTime });
    }
  };
  /** Sends one report at a time, so that an older total never arrives after a newer one. */
  const inTurn = (): Promise<void> => {
    sending = sending
      .then(report)
      .catch((error: unknown) =>
        tell({ type: "report-failed", kind: "inference", error: toPlainError(error) }),
      );
    return sending;
  };
  const schedule = (): void => {
    timer = setTimeout(() => {
      void inTurn().then(() => {
        if (!ending) schedule();
      });
    }, periodMs);
  };
  schedule();

  const stop = ({ deadlineMs: lastMs = 2000 }: { readonly deadlineMs?: number } = {}): Promise<void> => {
    clearTimeout(timer);
    // Abort every request that is still pending at the deadline, even one of an earlier report.
    ending ??= withDeadline(inTurn, {
      deadlineMs: lastMs,
      action: `send the last report to Sedna at ${target}`,
    })
      .catch(() => {})
      .finally(() =>
        life.abort(new SednaError("report to Sedna: the reporter has been stopped", { code: "disposed" })),
      );
    return ending;
  };

  return {
    deployed({ status }) {
      if (ending) return;
      deploy = { status };
      void inTurn();
    },
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}

/** Options of {@link post}. */
interface PostOptions {
  readonly body: string;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
}

async function post(url: string, { body, fetch, signal }: PostOptions): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": WORKER_REPORT_TYPE },
    body,
    signal,
    redirect: "error",
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new SednaError(
      `report to Sedna at ${url}: expected a response; the connection failed: ${messageOf(cause)}`,
      { code: "cloud-unreachable", retryable: true, cause },
    );
  });
  const reply = await readSome(response, signal);
  if (response.status !== 200)
    throw new SednaError(
      `report to Sedna at ${url}: expected status 200; got ${response.status}: ${reply.slice(0, 200)}`,
      { code: "cloud-refused", retryable: response.status >= 500 },
    );
  // An HTML page with status 200 comes from another server, so the report was not received.
  if (!/^\s*\{[^]*"Status"\s*:\s*200\b/.test(reply))
    throw new SednaError(
      `report to Sedna at ${url}: expected {"Status":200,...}; got ${JSON.stringify(reply.slice(0, 100))}`,
      { code: "cloud-garbage", retryable: true },
    );
}

/** Reads a response as text, up to about {@link MAX_REPLY_BYTES}. The rest is not read. */
async function readSome(response: Response, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of readChunks(response, signal)) {
    text += decoder.decode(piece);
    if (text.length > MAX_REPLY_BYTES) break;
  }
  return text;
}
