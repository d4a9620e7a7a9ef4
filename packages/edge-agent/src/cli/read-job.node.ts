import { jobSources } from "#platform/job";
import type { JobSource } from "../job/job-source-kind.ts";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { WireError } from "@sedna-js/core";
import type { EdgeJob, JobModel } from "../job/edge-job.ts";
import { parseJob } from "../job/parse-job.ts";
import { UsageError } from "@sedna-js/core/check";

/**
 * Maximum size of a job file, in bytes. It is larger than any job and bounds memory if another file is named.
 */
const MAX_BYTES = 2 ** 20;

/**
 * Reads a job file, YAML or JSON. Paths in the job are relative to the file. The data directory is the job's
 * `data`, else systemd's STATE_DIRECTORY, else `.sedna/<name>` in the working directory.
 *
 * @throws {UsageError} If the file cannot be read.
 * @throws {WireError} If the file is not a valid job.
 */
export async function readJob(
  path: string,
  { environment = process.env }: { readonly environment?: Readonly<Record<string, string | undefined>> } = {},
): Promise<EdgeJob & { readonly data: string }> {
  const job = parseJob(await readJobFile(path), { from: path, environment });
  const at = (name: string): string => resolve(dirname(path), name);
  // systemd separates several directories with colons; use the first.
  const state = environment["STATE_DIRECTORY"]?.split(":")[0];
  return {
    ...job,
    source: placedSource(job.source, at),
    model: placedModel(job.model, at),
    ...(job.update?.sednaConfig === undefined
      ? {}
      : { update: { ...job.update, sednaConfig: at(job.update.sednaConfig) } }),
    data: job.data === undefined ? (state ?? resolve(".sedna", job.name)) : at(job.data),
  };
}

/**
 * Reads and parses a job file, YAML or JSON.
 *
 * @throws {UsageError} If the file cannot be read.
 * @throws {WireError} If the file is neither YAML nor JSON, or exceeds 1 MiB.
 */
export async function readJobFile(path: string): Promise<unknown> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`read ${path}: expected a job file; got ${error.code ?? error.message}`);
  });
  if (bytes.length > MAX_BYTES)
    throw new WireError(`read ${path}: expected at most ${MAX_BYTES} bytes; got ${bytes.length}`);
  return parseText(bytes.toString(), path);
}

async function parseText(text: string, path: string): Promise<unknown> {
  try {
    // Parsing a JSON job without the YAML parser saves 8 MB of memory on an idle device.
    if (text.trimStart().startsWith("{")) return JSON.parse(text) as unknown;
  } catch {
    // YAML may also start with `{`; the YAML parser reports errors more precisely.
  }
  const { parse } = await import("yaml");
  try {
    return parse(text, { prettyErrors: true });
  } catch (cause) {
    throw new WireError(
      `read ${path}: expected YAML or JSON; got: ${cause instanceof Error ? cause.message.split("\n")[0] : String(cause)}`,
      { cause },
    );
  }
}

function placedSource(source: JobSource, at: (name: string) => string): JobSource {
  const [kind, path] =
    Object.entries(source).find(([key]) => Object.hasOwn(jobSources, key) && jobSources[key]!.isPath) ?? [];
  if (kind === undefined || typeof path !== "string" || /^https?:/.test(path)) return source;
  return { ...source, [kind]: at(path) };
}

function placedModel(model: JobModel, at: (name: string) => string): JobModel {
  return "file" in model ? { ...model, file: at(model.file) } : model;
}
