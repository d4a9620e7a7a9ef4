import { describeValue, WireError } from "../errors.ts";

/** The worker that reports, and the job that it reports for. */
export interface ReportOwner {
  /**
   * Name of the worker. Must be the same as in the path of the request, otherwise the local controller
   * responds with 400.
   */
  readonly name: string;
  readonly namespace: string;
  /**
   * Job or service that the numbers are for. Sedna sends "sedna" here unless JOB_NAME is set, and the numbers
   * are then lost.
   */
  readonly ownerName: string;
  /**
   * Kind of the job in lower case, such as `jointinferenceservice`. A local controller drops an unknown kind,
   * and responds with 200.
   */
  readonly ownerKind: string;
}

/** Totals of a joint inference so far, not differences. */
export interface InferenceInfo {
  /** Start of the time that was not reported before, in unix ms. Sent in whole seconds. */
  readonly startTime: number;
  /** Time of the report, in unix ms. */
  readonly updateTime: number;
  /** Number of samples, each counted once. Sedna counts an uploaded sample twice. */
  readonly inferenceNumber: number;
  readonly hardExampleNumber: number;
  /** hardExampleNumber / inferenceNumber. */
  readonly uploadCloudRatio: number;
}

/** A model that a worker has trained or evaluated. */
export interface WorkerResult {
  readonly format: string;
  readonly url: string;
  readonly metrics: Readonly<Record<string, unknown>> | null;
}

/** A worker's report to Sedna's local controller. */
export type WorkerReport =
  | (ReportOwner & { readonly kind: "inference"; readonly ownerInfo: InferenceInfo })
  | (ReportOwner & {
      /** `deploy`: the model was replaced while the worker was running. */
      readonly kind: "train" | "eval" | "deploy";
      readonly status: WorkerStatus;
      readonly results?: readonly WorkerResult[];
      readonly ownerInfo?: Readonly<Record<string, unknown>>;
    });

/** Status of a worker's step. */
export type WorkerStatus = "running" | "completed" | "failed";

/** Media type of a worker's report. */
export const WORKER_REPORT_TYPE = "application/json";

/** Returns the path of a worker's reports, below the local controller's address. */
export const workerReportPath = (name: string): string => `/sedna/workers/${encodeURIComponent(name)}/info`;

/**
 * Writes the body of `POST /sedna/workers/<name>/info`, with its fields in Sedna's order and its times in
 * local time.
 *
 * Source: Sedna's lib/sedna/core/base.py and common/utils.py, `LCReporter`.
 */
export function writeWorkerReport(report: WorkerReport): string {
  const { name, namespace, ownerName, ownerKind, kind } = report;
  const head = { name, namespace, ownerName, ownerKind, kind };
  if (report.kind === "inference") {
    const { startTime, updateTime, inferenceNumber, hardExampleNumber, uploadCloudRatio } = report.ownerInfo;
    const ownerInfo = {
      startTime: localTime(startTime),
      updateTime: localTime(updateTime),
      inferenceNumber,
      hardExampleNumber,
      uploadCloudRatio,
    };
    return JSON.stringify({ ...head, results: [], ownerInfo });
  }
  const { status, results, ownerInfo } = report;
  return JSON.stringify({ ...head, status, ...(results && { results }), ...(ownerInfo && { ownerInfo }) });
}

/**
 * Parses a report of {@link writeWorkerReport} or of Sedna itself.
 *
 * @throws {WireError} If the body is not a report.
 */
export function parseWorkerReport(body: unknown): WorkerReport {
  const report = record(body, "a worker's report");
  const text = (field: string): string => {
    const value = report[field];
    return typeof value === "string" && value !== "" ? value : fail(field, "a text", value);
  };
  const owner = {
    name: text("name"),
    namespace: text("namespace"),
    ownerName: text("ownerName"),
    ownerKind: text("ownerKind"),
  };
  const kind = oneOf(report["kind"], "kind", ["inference", "train", "eval", "deploy"]);
  if (kind === "inference")
    return { ...owner, kind, ownerInfo: inferenceInfo(record(report["ownerInfo"], "ownerInfo")) };
  const status = oneOf(report["status"], "status", ["running", "completed", "failed"]);
  const { results, ownerInfo } = report;
  return {
    ...owner,
    kind,
    status,
    ...(results !== undefined && {
      results: Array.isArray(results) ? results.map(workerResult) : fail("results", "a list", results),
    }),
    ...(ownerInfo !== undefined && { ownerInfo: record(ownerInfo, "ownerInfo") }),
  };
}

function inferenceInfo(info: Readonly<Record<string, unknown>>): InferenceInfo {
  const number = (field: string, most: number): number => {
    const value = info[field];
    return typeof value === "number" && value >= 0 && value <= most
      ? value
      : fail(`ownerInfo.${field}`, most === 1 ? "a number from 0 to 1" : "a number from 0 up", value);
  };
  const whole = (field: string): number =>
    Number.isSafeInteger(info[field])
      ? number(field, Infinity)
      : fail(`ownerInfo.${field}`, "a whole number from 0 up", info[field]);
  return {
    startTime: parseLocalTime(info["startTime"], "ownerInfo.startTime"),
    updateTime: parseLocalTime(info["updateTime"], "ownerInfo.updateTime"),
    inferenceNumber: whole("inferenceNumber"),
    hardExampleNumber: whole("hardExampleNumber"),
    uploadCloudRatio: number("uploadCloudRatio", 1),
  };
}

function workerResult(value: unknown, i: number): WorkerResult {
  const { format, url, metrics } = record(value, `results[${i}]`);
  if (typeof format !== "string") return fail(`results[${i}].format`, "a text", format);
  if (typeof url !== "string") return fail(`results[${i}].url`, "a text", url);
  return { format, url, metrics: metrics === null ? null : record(metrics, `results[${i}].metrics`) };
}

/** Formats a time as "%Y-%m-%d %H:%M:%S", as Sedna does: in local time, without a time zone. */
function localTime(unixMs: number): string {
  const time = new Date(unixMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${String(time.getFullYear()).padStart(4, "0")}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

function parseLocalTime(value: unknown, field: string): number {
  const parts = typeof value === "string" ? /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(value) : null;
  // `Date` reads this form without a time zone as local time. A month above 12 or a day above 31 gives NaN.
  const time = parts
    ? new Date(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}`).getTime()
    : NaN;
  return Number.isNaN(time) ? fail(field, "a time such as 2026-11-21 04:04:06", value) : time;
}

function oneOf<const Known extends string>(value: unknown, field: string, known: readonly Known[]): Known {
  return known.find((one) => one === value) ?? fail(field, known.join(", "), value);
}

function record(value: unknown, field: string): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : fail(field, "an object", value);
}

function fail(field: string, expected: string, got: unknown): never {
  throw new WireError(`read ${field}: expected ${expected}; got ${describeValue(got)}`);
}
