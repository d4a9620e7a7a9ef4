import { type Paradigm, SednaError, WireError } from "@sedna-js/core";
import { createEmitter, createLifetime } from "@sedna-js/core/async";
import { flatOf } from "@sedna-js/core/heads";
import { privateRecords } from "@sedna-js/core/mistnet";
import { cryptographicRandom, randomBits, type FillRandom } from "@sedna-js/core/privacy";
import {
  MISTNET_TYPE,
  parseMistnetStatus,
  readMistnetUpload,
  readSafetensors,
  writeMistnetUpload,
  type MistnetPlan,
  type MistnetRecords,
  type MistnetStatus,
} from "@sedna-js/core/wire";
import { baseUrl } from "../http/base-url.ts";
import { readJson } from "../http/read-json.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { mistnetRequests } from "./mistnet-requests.ts";

/** Options of {@link createMistnetEdge}. */
export interface MistnetEdgeOptions {
  /** URL of the cloud. */
  readonly url: string | URL;
  /** Name of the MistNet job. */
  readonly name: string;
  /** Name of this device. */
  readonly device: string;
  /** Token for the cloud, sent as `Authorization: Bearer`. */
  readonly token?: string;
  /** Largest epsilon per record that the device's owner allows. A plan with a larger epsilon is rejected. */
  readonly maxEpsilon: number;
  /** Largest delta that the device's owner allows. Default 1e-5. */
  readonly maxDelta?: number;
  /**
   * Stores the noised records. After a restart the edge then sends the same records again; new noise would
   * spend epsilon again. Without a store the noised records are kept in memory only.
   */
  readonly store?: ByteStore;
  /** Timeout of one request, in ms. Default 60000. */
  readonly deadlineMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Source of random bytes for the noise. Default: the engine's cryptographic source. */
  readonly fill?: FillRandom;
  readonly random?: () => number;
}

/** Where the work of a {@link MistnetEdge} is. */
export interface MistnetEdgeStatus {
  readonly state: "idle" | "uploading" | "waiting" | "done" | "failed";
  /** What the upload revealed about each record; `undefined` before the upload. */
  readonly spent: { readonly epsilon: number; readonly delta: number } | undefined;
}

/** What happened to an upload. `duplicate`: the cloud already had the same records. */
export interface MistnetUploadResult {
  readonly epsilon: number;
  readonly delta: number;
  readonly duplicate: boolean;
}

/** An event of {@link MistnetEdge}. */
export type MistnetEvent =
  | ({ readonly type: "uploaded" } & MistnetUploadResult)
  /** The head is trained; `parameters` are flat. */
  | { readonly type: "done"; readonly parameters: Float32Array };

/** Returns the records to upload. `plan` says where to cut and how many records to upload at most. */
export type MistnetRecordSource = (plan: MistnetPlan) => Promise<MistnetRecords>;

/** The edge side of MistNet. `run` uploads the records, waits for the head, and yields its events. */
export interface MistnetEdge extends Paradigm<
  [records: MistnetRecordSource],
  MistnetEvent,
  MistnetEdgeStatus,
  MistnetEvent
> {
  /** Fetches the plan and the progress of the job from the cloud. */
  fetchStatus(options?: { readonly signal?: AbortSignal }): Promise<MistnetStatus>;
  /**
   * Adds noise to the records and uploads them. The noised records are created once: later calls send the
   * same bytes again, which the cloud accepts only once. Retries until the upload succeeds, is rejected, or
   * is aborted.
   *
   * @param records Not called if noised records already exist.
   * @throws {SednaError} `privacy-forbids` if the plan requires more than the owner allows, or the stored
   * records were made for another plan; `cloud-refused` if the cloud rejects the upload.
   */
  upload(
    records: MistnetRecordSource,
    options?: { readonly signal?: AbortSignal },
  ): Promise<MistnetUploadResult>;
  /**
   * Returns the trained head's flat parameters; waits until they are available.
   *
   * @throws {SednaError} `cloud-refused` if the training was abandoned.
   */
  head(options?: { readonly signal?: AbortSignal }): Promise<Float32Array>;
}

const ACTION = "take part in MistNet";

/**
 * Creates the edge side of MistNet. Only features that were cut and noised on this device are sent to the
 * cloud, once.
 */
export function createMistnetEdge({
  url,
  name,
  device,
  token,
  maxEpsilon,
  maxDelta = 1e-5,
  store,
  deadlineMs = 60_000,
  fetch = globalThis.fetch.bind(globalThis),
  fill = cryptographicRandom,
  random = Math.random,
}: MistnetEdgeOptions): MistnetEdge {
  const root = `${baseUrl(url)}/v1/mistnet/${encodeURIComponent(name)}`;
  const { fetchStatus, upload, head } = mistnetCalls({
    ask: mistnetRequests({ root, token, deadlineMs, fetch, random, action: ACTION }),
    noise: noisedRecords({ key: `mistnet-${name.toLowerCase()}`, store, fill }),
    device,
    maxEpsilon,
    maxDelta,
  });
  const lifetime = createLifetime(ACTION);
  const events = createEmitter<MistnetEvent>();
  let status: MistnetEdgeStatus = { state: "idle", spent: undefined };
  let running = false;

  async function* steps(
    records: MistnetRecordSource,
    signal: AbortSignal,
  ): AsyncGenerator<MistnetEvent, undefined> {
    status = { ...status, state: "uploading" };
    const { epsilon, delta, duplicate } = await upload(records, signal);
    status = { state: "waiting", spent: { epsilon, delta } };
    yield { type: "uploaded", epsilon, delta, duplicate };
    const parameters = await head(signal);
    status = { ...status, state: "done" };
    yield { type: "done", parameters };
  }
  async function* run(
    records: MistnetRecordSource,
    { signal: given }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<MistnetEvent, undefined> {
    const signal = lifetime.during(given);
    if (running) throw new TypeError(`${ACTION}: expected one run at a time; got a second run`);
    running = true;
    try {
      for await (const event of steps(records, signal)) {
        events.emit(event);
        yield event;
      }
    } catch (error) {
      status = { ...status, state: signal.aborted ? "idle" : "failed" };
      throw error;
    } finally {
      running = false;
    }
  }
  const dispose = async (): Promise<void> => lifetime.end();

  return {
    run,
    status: () => status,
    on: events.on,
    fetchStatus: async ({ signal } = {}) => fetchStatus(lifetime.during(signal)),
    upload: async (records, { signal } = {}) => upload(records, lifetime.during(signal)),
    head: async ({ signal } = {}) => head(lifetime.during(signal)),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Options of {@link mistnetCalls}. */
interface MistnetCallsOptions {
  readonly ask: ReturnType<typeof mistnetRequests>;
  readonly noise: ReturnType<typeof noisedRecords>;
  readonly device: string;
  readonly maxEpsilon: number;
  readonly maxDelta: number;
}

/** Returns the calls of the cloud's routes. */
function mistnetCalls({ ask, noise, device, maxEpsilon, maxDelta }: MistnetCallsOptions) {
  const fetchStatus = async (signal: AbortSignal): Promise<MistnetStatus> =>
    parseMistnetStatus(
      readJson((await ask("", { method: "GET", signal, maxReplyBytes: 65_536 })).body, ACTION),
    );

  const upload = async (records: MistnetRecordSource, signal: AbortSignal): Promise<MistnetUploadResult> => {
    const { plan } = await fetchStatus(signal);
    if (plan.epsilon > maxEpsilon || plan.delta > maxDelta)
      throw new SednaError(
        `${ACTION}: expected an epsilon of at most ${maxEpsilon} and a delta of at most ${maxDelta}; got ${plan.epsilon} and ${plan.delta}`,
        { code: "privacy-forbids" },
      );
    const reply = await ask(`/uploads/${encodeURIComponent(device)}`, {
      method: "PUT",
      headers: { "content-type": MISTNET_TYPE },
      body: await noise(plan, records),
      signal,
      maxReplyBytes: 65_536,
    });
    return { epsilon: plan.epsilon, delta: plan.delta, duplicate: reply.status === 200 };
  };
  const head = async (signal: AbortSignal): Promise<Float32Array> => {
    const { plan } = await fetchStatus(signal);
    const { body } = await ask("/head", { method: "GET", signal, maxReplyBytes: 2 ** 26 });
    try {
      return flatOf(plan.head, readSafetensors(body).tensors);
    } catch (cause) {
      throw cause instanceof TypeError ? new WireError(`${ACTION}: ${cause.message}`, { cause }) : cause;
    }
  };
  return { fetchStatus, upload, head };
}

/** Options of {@link noisedRecords}. */
interface NoisedRecordsOptions {
  readonly key: string;
  readonly store: ByteStore | undefined;
  readonly fill: FillRandom;
}

/**
 * Returns a function that returns the noised records as an upload. They are created once, and the store keeps
 * them: new noise would spend epsilon again.
 */
function noisedRecords({
  key,
  store,
  fill,
}: NoisedRecordsOptions): (
  plan: MistnetPlan,
  records: MistnetRecordSource,
) => Promise<Uint8Array<ArrayBuffer>> {
  let made: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const make = async (plan: MistnetPlan, records: MistnetRecordSource): Promise<Uint8Array<ArrayBuffer>> => {
    const kept = await store?.get(key);
    if (kept) return kept;
    const bytes = writeMistnetUpload(
      privateRecords(await records(plan), { plan, bits: randomBits(fill) }),
      plan,
    );
    // Store before sending: records that were sent but not stored would be noised again after a restart.
    await store?.set(key, bytes);
    return bytes;
  };
  return async (plan, records) => {
    made ??= make(plan, records).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    const bytes = await made;
    try {
      readMistnetUpload(bytes, plan);
    } catch (cause) {
      throw new SednaError(
        `${ACTION}: expected stored records for this plan; got records of another one. New noise would spend epsilon again`,
        { code: "privacy-forbids", cause },
      );
    }
    return bytes;
  };
}
