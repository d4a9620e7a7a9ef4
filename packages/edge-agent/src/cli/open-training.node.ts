import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  classifier,
  createFederatedLearning,
  imageTask,
  SednaError,
  type FederatedLearning,
  type Frame,
  type LabeledSamples,
  type Task,
  type Tensor,
  type Tensors,
} from "@sedna-js/core";
import type { ImageInputSpec } from "@sedna-js/core/vision";
import { openByteStore } from "#platform/storage";
import { deviceIdentity } from "../federation/device-identity.ts";
import { enrollDevice } from "../federation/enroll-device.ts";
import { federationTransport } from "../federation/federation-transport.ts";
import { fetchFederationStatus } from "../federation/fetch-status.ts";
import type { TrainJob } from "../job/train-job.ts";
import { createFeatureCache } from "../training/feature-cache.ts";
import type { FeatureSource } from "../training/feature-extractor.ts";
import { headEstimator, type HeadEstimator } from "../training/head-estimator.ts";
import { trainingPauses } from "../training/training-pauses.ts";
import { openTrainingData } from "./training-data.node.ts";

/** A training job that is ready to run. */
export interface OpenTraining {
  readonly learning: FederatedLearning<Frame | Tensor>;
  readonly estimator: HeadEstimator<Frame | Tensor>;
  readonly samples: LabeledSamples<Frame | Tensor>;
  readonly device: string;
  close(): Promise<void>;
}

/** Options of {@link openTraining}. */
export interface OpenTrainingOptions {
  /** Directory for keys and cached features. */
  readonly state: string;
  readonly signal: AbortSignal;
}

const MAX_CACHE_BYTES = 256 * 2 ** 20;

/**
 * Reads the federation's plan and opens what the training needs: data, head estimator, device keys, and
 * transport. Enrolls the device if the job has an enrollment token.
 *
 * @throws {WireError} If the data cannot be read or a label is out of range.
 * @throws {SednaError} `model-mismatch` if the plan trains no head or the number of classes differs. Also as
 * `fetchFederationStatus` and `enrollDevice`.
 */
export async function openTraining(
  job: TrainJob,
  { state, signal }: OpenTrainingOptions,
): Promise<OpenTraining> {
  const { url, name, control, enrollmentToken, audience } = job.federation;
  const { samples, classes, checkLabels } = await openTrainingData(job.data);
  const { head } = (await fetchFederationStatus({ url, name, signal })).plan;
  if (!head)
    throw new SednaError(
      `train for ${name}: expected a federation that trains a softmax or mlp head; got a plan without a head`,
      { code: "model-mismatch" },
    );
  checkLabels(head.classes);
  if (classes && classes.length !== head.classes)
    throw new SednaError(
      `train for ${name}: expected ${head.classes} classes; got ${classes.length} folders: ${classes.join(", ")}`,
      { code: "model-mismatch" },
    );

  const identity =
    enrollmentToken === undefined ? undefined : await deviceIdentity({ directory: join(state, "keys") });
  if (identity)
    await enrollDevice({
      url,
      name,
      identity,
      token: enrollmentToken!,
      label: job.name,
      signal,
      ...(audience && { audience }),
    });
  const device = identity?.device ?? job.name;
  const features = featuresOf(job);
  const cache =
    job.features &&
    createFeatureCache({
      store: openByteStore({ name: "features", directory: join(state, "features") }),
      model: await hashOf(job.features),
      maxBytes: MAX_CACHE_BYTES,
    });
  const estimator = headEstimator<Frame | Tensor>({
    features,
    head,
    cache,
    labels: classes,
  });
  const pauses = trainingPauses({ ...(job.pauses?.battery && { battery: { below: job.pauses.battery } }) });
  const transport = federationTransport({
    url,
    name,
    control,
    identity,
    ...(audience && { audience }),
  });
  const learning = createFederatedLearning({ estimator, transport, device, pauses });
  return {
    learning,
    estimator,
    samples,
    device,
    async close() {
      await learning.dispose();
      pauses.dispose();
      await estimator.dispose();
    },
  };
}

/** Returns the hash of everything that features depend on besides the sample. */
async function hashOf({
  model,
  output = "",
  input = {},
}: NonNullable<TrainJob["features"]>): Promise<string> {
  return createHash("sha256")
    .update(await readFile(model))
    .update(JSON.stringify([output, input]))
    .digest("hex");
}

function featuresOf({ features, data }: TrainJob): FeatureSource<Frame | Tensor> {
  if (!features) return "samples";
  const { model, output, input = {} } = features;
  const task = ("pictures" in data ? picturesToNumbers(input as ImageInputSpec) : classifier()) as Task<
    Frame | Tensor,
    Float32Array
  >;
  return { model, task, ...(output && { output }) };
}

/** Returns a task that converts images to the feature vector that a model's only output holds. */
function picturesToNumbers(input: ImageInputSpec): Task<Frame, Float32Array> {
  return imageTask({
    name: "features",
    input,
    bindOutputs({ outputs }) {
      const [output, second] = outputs;
      if (!output || second)
        throw new SednaError(`bind features: expected a model with one output; got ${outputs.length}`, {
          code: "model-mismatch",
        });
      return (results: Tensors) => (results[output.name] as Tensor).data as Float32Array;
    },
  });
}
