import type { Detections, Frame, SampleSource } from "@sedna-js/core";
import { directory, rtsp, videoFile, webcam } from "#platform/sources";
import { createEdgeAgent } from "../agent/create-edge-agent.ts";
import type { EdgeAgent, EdgeAgentOptions } from "../agent/edge-agent.ts";
import { bigModel } from "../big-model/big-model.ts";
import type { EdgeJob, JobSource } from "../job/edge-job.ts";

/** Creates the agent that a job describes. Nothing is opened before the agent runs. */
export function openJob(
  job: EdgeJob & { readonly data: string },
  { onSkip }: { readonly onSkip: (skipped: { readonly path: string; readonly error: unknown }) => void },
): EdgeAgent {
  const { name, source, model, update, samples, report, privacy, policy, deadlineMs, threads, data } = job;
  return createEdgeAgent<Detections>({
    name,
    source: () => openSource(source, onSkip),
    model: modelOf(model, update),
    hardExampleMining: job.hardExampleMining,
    ...(job.bigModel && { bigModel: bigModel(job.bigModel) }),
    ...(policy && { policy }),
    ...(deadlineMs && { deadlineMs }),
    ...(threads && { threads }),
    privacy,
    ...(samples && { samples: samplesOf(samples) }),
    ...(report && { report: reportOf(report) }),
    directory: data,
  });
}

function modelOf(
  model: EdgeJob["model"],
  { pollSeconds, sednaConfig }: NonNullable<EdgeJob["update"]> = {},
): EdgeAgentOptions["model"] {
  const settings = pollSeconds === undefined ? {} : { update: { pollMs: pollSeconds * 1000 } };
  if ("manifest" in model) return { ...model, ...settings };
  // `parseJob` has already rejected a job that does not set this option.
  return sednaConfig === undefined
    ? model
    : { ...model, sedna: { configPath: sednaConfig, trustLocalFiles: true, ...settings } };
}

function openSource(
  source: JobSource,
  onSkip: (skipped: { readonly path: string; readonly error: unknown }) => void,
): SampleSource<Frame> {
  if ("rtsp" in source) {
    const { rtsp: url, ...rest } = source;
    return rtsp({ url, ...rest });
  }
  if ("webcam" in source) {
    const { webcam: device, ...rest } = source;
    return webcam({ device, ...rest });
  }
  if ("file" in source) {
    const { file, ...rest } = source;
    return videoFile({ source: file, ...rest });
  }
  return directory(source.directory, { watch: source.watch, onSkip });
}

function samplesOf({
  maxMegabytes,
  ttlHours,
  ...rest
}: NonNullable<EdgeJob["samples"]>): NonNullable<EdgeAgentOptions["samples"]> {
  return {
    ...rest,
    ...(maxMegabytes && { maxBytes: maxMegabytes * 1e6 }),
    ...(ttlHours && { ttlMs: ttlHours * 3_600_000 }),
  };
}

function reportOf({
  sednaLocalController,
  periodSeconds,
  ...rest
}: NonNullable<EdgeJob["report"]>): NonNullable<EdgeAgentOptions["report"]> {
  return { url: sednaLocalController, ...rest, ...(periodSeconds && { periodMs: periodSeconds * 1000 }) };
}
