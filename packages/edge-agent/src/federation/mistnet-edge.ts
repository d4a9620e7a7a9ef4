import { SednaError, WireError } from "@sedna-js/core";
import { backoff, withDeadline } from "@sedna-js/core/async";
import { flatOf } from "@sedna-js/core/heads";
import { privateRecords } from "@sedna-js/core/mistnet";
import { cryptographicRandom, randomBits, type FillRandom } from "@sedna-js/core/privacy";
import {
  MISTNET_TYPE,
  parseMistnetStatus,
  readSafetensors,
  writeMistnetUpload,
  type MistnetPlan,
  type MistnetRecords,
  type MistnetStatus,
} from "@sedna-js/core/wire";
import { baseUrl } from "../http/base-url.ts";
import { exchange, rejection, type AnyHttpRequest, type Reply } from "../http/http-request.ts";
import { readJson } from "../http/read-json.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { delay } from "@sedna-js/core/async";

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

/** The edge side of MistNet. */
export interface MistnetEdge {
  status(options?: { readonly signal?: AbortSignal }): Promise<MistnetStatus>;
  /**
   * Adds noise to the records and uploads them. The noised records are created once: later calls send the
   * same bytes again, which the cloud accepts only once. Retries until the upload succeeds, is rejected, or
   * is aborted.
   *
   * @param records Returns the records to upload. Called with the plan, which says where to cut and how many
   * records to upload at most. Not called if noised records already exist.
   * @throws {SednaError} `privacy-forbids` if the plan requires more than the owner allows; `cloud-refused`
   * if the cloud rejects the upload.
   */
  upload(
    records: (plan: MistnetPlan) => Promise<MistnetRecords>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly epsilon: number; readonly delta: number; readonly duplicate: boolean }>;
  /**
   * Returns the trained head's flat parameters; waits until they are available.
   *
   * @throws {SednaError} `cloud-refused` if the training was abandoned.
   */
  head(options?: { readonly signal?: AbortSignal }): Promise<Float32Array>;
}

const ACTION = "take part in MistNet";
const BACK_OFF = { baseMs: 500, capMs: 60_000 };

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
  const key = `mistnet-${name.toLowerCase()}`;
  let made: Promise<Uint8Array<ArrayBuffer>> | undefined;

  const ask = async (
    path: string,
    {
      signal,
      maxReplyBytes,
      ...request
    }: Omit<AnyHttpRequest, "url"> & { readonly signal: AbortSignal; readonly maxReplyBytes: number },
  ): Promise<Reply> => {
    const headers = { ...request.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    for (let tried = 0; ; tried++) {
      signal.throwIfAborted();
      try {
        const reply = await withDeadline(
          (limit) =>
            exchange(
              { ...request, url: `${root}${path}`, headers },
              { action: ACTION, signal: limit, maxReplyBytes, fetch },
            ),
          { deadlineMs, signal, action: ACTION },
        );
        if (reply.status < 300) return reply;
        throw rejection(reply, { action: ACTION, url: `${root}${path}` });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof SednaError && error.retryable)) throw error;
        await delay(backoff({ tried, ...BACK_OFF, random, retryAfterMs: error.retryAfterMs }), signal);
      }
    }
  };
  const statusOf = async (signal: AbortSignal): Promise<MistnetStatus> =>
    parseMistnetStatus(
      readJson((await ask("", { method: "GET", headers: {}, signal, maxReplyBytes: 65_536 })).body, ACTION),
    );

  const allowed = (plan: MistnetPlan): void => {
    if (plan.epsilon > maxEpsilon || plan.delta > maxDelta)
      throw new SednaError(
        `${ACTION}: expected an epsilon of at most ${maxEpsilon} and a delta of at most ${maxDelta}; got ${plan.epsilon} and ${plan.delta}`,
        { code: "privacy-forbids" },
      );
  };
  const make = async (
    plan: MistnetPlan,
    records: (plan: MistnetPlan) => Promise<MistnetRecords>,
  ): Promise<Uint8Array<ArrayBuffer>> => {
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

  return {
    status: ({ signal = new AbortController().signal } = {}) => statusOf(signal),
    async upload(records, { signal = new AbortController().signal } = {}) {
      const { plan } = await statusOf(signal);
      allowed(plan);
      made ??= make(plan, records).catch((error: unknown) => {
        made = undefined;
        throw error;
      });
      const body = await made;
      const reply = await ask(`/uploads/${encodeURIComponent(device)}`, {
        method: "PUT",
        headers: { "content-type": MISTNET_TYPE },
        body,
        signal,
        maxReplyBytes: 65_536,
      });
      return { epsilon: plan.epsilon, delta: plan.delta, duplicate: reply.status === 200 };
    },
    async head({ signal = new AbortController().signal } = {}) {
      const { plan } = await statusOf(signal);
      const { body } = await ask("/head", { method: "GET", headers: {}, signal, maxReplyBytes: 2 ** 26 });
      try {
        return flatOf(plan.head, readSafetensors(body).tensors);
      } catch (cause) {
        throw cause instanceof TypeError ? new WireError(`${ACTION}: ${cause.message}`, { cause }) : cause;
      }
    },
  };
}
