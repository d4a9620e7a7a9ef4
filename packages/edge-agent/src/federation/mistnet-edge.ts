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
import { exchange, rejection, type AnyExchange, type Reply } from "../http/exchange.ts";
import { readJson } from "../http/read-json.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { delay } from "@sedna-js/core/async";

/** Options of {@link createMistnetEdge}. */
export interface MistnetEdgeOptions {
  /** The cloud's address. */
  readonly url: string | URL;
  /** The MistNet's name. */
  readonly name: string;
  /** This device's name. */
  readonly device: string;
  /** The cloud's token. */
  readonly token?: string;
  /** The most that the device's owner lets go of a record. A plan of a larger epsilon is refused. */
  readonly maxEpsilon: number;
  /** The largest delta that the owner takes. Default 1e-5. */
  readonly maxDelta?: number;
  /** Keeps the noised records, so that a restart sends those again rather than new ones, which would cost epsilon again. Without one they live as long as this object. */
  readonly store?: ByteStore;
  /** For one request, in ms. Default 60000. */
  readonly deadlineMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Where noise comes from. Default: the engine's cryptographic source. */
  readonly fill?: FillRandom;
  readonly random?: () => number;
}

/** An edge's end of MistNet. */
export interface MistnetEdge {
  status(options?: { readonly signal?: AbortSignal }): Promise<MistnetStatus>;
  /**
   * Makes the records private and uploads them, once in this device's life: called again it sends the same bytes again, which
   * the cloud counts once, and looks at no records. Tries until it is told or aborted.
   * @param records called once, with the plan: what to cut and how many at most.
   * @throws {SednaError} `privacy-forbids` where the plan asks for more than the owner allows; `cloud-refused`.
   */
  upload(
    records: (plan: MistnetPlan) => Promise<MistnetRecords>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly epsilon: number; readonly delta: number; readonly duplicate: boolean }>;
  /** The trained head's flat parameters, once there are any. @throws {SednaError} `cloud-refused` where it was abandoned. */
  head(options?: { readonly signal?: AbortSignal }): Promise<Float32Array>;
}

const ACTION = "take part in MistNet";
const BACK_OFF = { baseMs: 500, capMs: 60_000 };

/** Takes part in a MistNet: features that were cut and noised here go to the cloud, once, and nothing else does. */
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
    }: Omit<AnyExchange, "url"> & { readonly signal: AbortSignal; readonly maxReplyBytes: number },
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
        `${ACTION}: expected an epsilon of at most ${maxEpsilon} and a delta of at most ${maxDelta}; the plan has ${plan.epsilon} and ${plan.delta}`,
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
    // Before anything leaves: what was sent and then forgotten would be noised anew.
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
