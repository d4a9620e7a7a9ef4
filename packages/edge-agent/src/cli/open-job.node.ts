import type { Detections, Frame, SampleSource } from "@sedna-js/core";
import { jobSources } from "#platform/job";
import { createEdgeAgent } from "../agent/create-edge-agent.ts";
import type { EdgeAgent, EdgeAgentOptions } from "../agent/edge-agent.ts";
import { bigModel } from "../big-model/big-model.ts";
import type { EdgeJob } from "../job/edge-job.ts";
import type { JobSource, SkippedFile } from "../job/job-source-kind.ts";

/** Creates the agent that a job describes. Nothing is opened before the agent runs. */
export function openJob(
  job: EdgeJob & { readonly data: string },
  { onSkip }: { readonly onSkip: (skipped: SkippedFile) => void },
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

/** Opens the source by its row in the table. */
function openSource(source: JobSource, onSkip: (skipped: SkippedFile) => void): SampleSource<Frame> {
  const kind = Object.keys(jobSources).find((key) => key in source)!;
  return jobSources[kind]!.open(source as never, { onSkip });
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
