import { anyText, failField, type Fields, fieldsOf, type TextLimits } from "./read-fields.ts";

const anyName: TextLimits = { ...anyText, least: 1 };

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
  const report = fieldsOf(body, "report");
  const owner = {
    name: report.text("name", anyName),
    namespace: report.text("namespace", anyName),
    ownerName: report.text("ownerName", anyName),
    ownerKind: report.text("ownerKind", anyName),
  };
  const kind = report.oneOf("kind", ["inference", "train", "eval", "deploy"]);
  if (kind === "inference") return { ...owner, kind, ownerInfo: inferenceInfo(report.object("ownerInfo")) };
  return {
    ...owner,
    kind,
    status: report.oneOf("status", ["running", "completed", "failed"]),
    ...(report.has("results") && { results: report.list("results", { read: workerResult }) }),
    ...(report.has("ownerInfo") && { ownerInfo: anyObject(report, "ownerInfo") }),
  };
}

function inferenceInfo(info: Fields): InferenceInfo {
  return {
    startTime: parseLocalTime(info, "startTime"),
    updateTime: parseLocalTime(info, "updateTime"),
    inferenceNumber: info.whole("inferenceNumber"),
    hardExampleNumber: info.whole("hardExampleNumber"),
    uploadCloudRatio: info.number("uploadCloudRatio", { most: 1 }),
  };
}

function workerResult(value: unknown, where: string): WorkerResult {
  const result = fieldsOf(value, where);
  return {
    format: result.text("format", anyText),
    url: result.text("url", anyText),
    metrics: result.value("metrics") === null ? null : anyObject(result, "metrics"),
  };
}

/** Returns an object of any fields. */
function anyObject(fields: Fields, name: string): Readonly<Record<string, unknown>> {
  fields.object(name);
  return fields.value(name) as Readonly<Record<string, unknown>>;
}

/** Formats a time as "%Y-%m-%d %H:%M:%S", as Sedna does: in local time, without a time zone. */
function localTime(unixMs: number): string {
  const time = new Date(unixMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${String(time.getFullYear()).padStart(4, "0")}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

function parseLocalTime(fields: Fields, name: string): number {
  const value = fields.value(name);
  const parts = typeof value === "string" ? /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(value) : null;
  // `Date` reads this form without a time zone as local time. A month above 12 or a day above 31 gives NaN.
  const time = parts
    ? new Date(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}`).getTime()
    : NaN;
  if (!Number.isNaN(time)) return time;
  return failField(`${fields.where}.${name}`, { expected: "a time such as 2026-11-21 04:04:06", got: value });
}
