import { describeValue, WireError } from "../errors.ts";

/** Who reports, and for what. */
export interface ReportOwner {
  /** The worker's name; the same as in the path of the request, else the local controller answers 400. */
  readonly name: string;
  readonly namespace: string;
  /** The job or service that the numbers are for. Sedna sends "sedna" here unless JOB_NAME is set, and its numbers arrive nowhere. */
  readonly ownerName: string;
  /** The job's kind in lower case, such as `jointinferenceservice`. A local controller drops a kind that it doesn't know, and answers 200. */
  readonly ownerKind: string;
}

/** What a joint inference has done so far; totals, not differences. */
export interface InferenceInfo {
  /** Start of what was not reported before, unix ms. Whole seconds travel. */
  readonly startTime: number;
  /** Unix ms. */
  readonly updateTime: number;
  /** Samples, each counted once. Sedna counts an uploaded one twice. */
  readonly inferenceNumber: number;
  readonly hardExampleNumber: number;
  /** hardExampleNumber / inferenceNumber. */
  readonly uploadCloudRatio: number;
}

/** One model that a worker has made or judged. */
export interface WorkerResult {
  readonly format: string;
  readonly url: string;
  readonly metrics: Readonly<Record<string, unknown>> | null;
}

/** A worker's message to Sedna's local controller. */
export type WorkerReport =
  | (ReportOwner & { readonly kind: "inference"; readonly ownerInfo: InferenceInfo })
  | (ReportOwner & {
      /** `deploy`: a model was exchanged while the worker ran. */
      readonly kind: "train" | "eval" | "deploy";
      readonly status: WorkerStatus;
      readonly results?: readonly WorkerResult[];
      readonly ownerInfo?: Readonly<Record<string, unknown>>;
    });

/** How a worker's step stands. */
export type WorkerStatus = "running" | "completed" | "failed";

/** The media type of a worker's message. */
export const WORKER_REPORT_TYPE = "application/json";

/** Where a worker posts its messages, below the local controller's address. */
export const workerReportPath = (name: string): string => `/sedna/workers/${encodeURIComponent(name)}/info`;

/**
 * The body of `POST /sedna/workers/<name>/info`, with its fields in Sedna's order and its times in local time.
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

/** Reads what {@link writeWorkerReport} or Sedna itself wrote. @throws {WireError} on anything else. */
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

/** "%Y-%m-%d %H:%M:%S", as Sedna has it: local, without a zone. */
function localTime(unixMs: number): string {
  const time = new Date(unixMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${String(time.getFullYear()).padStart(4, "0")}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

function parseLocalTime(value: unknown, field: string): number {
  const parts = typeof value === "string" ? /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(value) : null;
  // The form without a zone is read as local time; a day or an hour that is none gives NaN.
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
