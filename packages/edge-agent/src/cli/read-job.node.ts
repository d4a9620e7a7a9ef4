import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { WireError } from "@sedna-js/core";
import type { EdgeJob, JobModel, JobSource } from "../job/edge-job.ts";
import { parseJob } from "../job/parse-job.ts";
import { UsageError } from "@sedna-js/core/check";

/** Larger than any job, and small enough to read whatever is named. */
const MAX_BYTES = 2 ** 20;

/**
 * Reads a job file, YAML or JSON. Its paths are relative to it. Data go to where `data` says, else to
 * systemd's STATE_DIRECTORY, else to `.sedna/<name>` where the command was started.
 *
 * @throws {UsageError} when there is no such file.
 * @throws {WireError} when it is no job.
 */
export async function readJob(
  path: string,
  { environment = process.env }: { readonly environment?: Readonly<Record<string, string | undefined>> } = {},
): Promise<EdgeJob & { readonly data: string }> {
  const job = parseJob(await readJobFile(path), { from: path, environment });
  const at = (name: string): string => resolve(dirname(path), name);
  // systemd names several directories with colons between; the first is ours.
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
 * What a job file says, YAML or JSON.
 * @throws {UsageError} when there is no such file.
 * @throws {WireError} when it is neither.
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
    // A job in JSON spares an idle device the 8 MB of a YAML parser.
    if (text.trimStart().startsWith("{")) return JSON.parse(text) as unknown;
  } catch {
    // YAML may begin so too, and its parser says more of what is wrong.
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
  if ("file" in source)
    return { ...source, file: /^https?:/.test(source.file) ? source.file : at(source.file) };
  return "directory" in source ? { ...source, directory: at(source.directory) } : source;
}

function placedModel(model: JobModel, at: (name: string) => string): JobModel {
  return "file" in model ? { ...model, file: at(model.file) } : model;
}
