import { sha256 } from "@noble/hashes/sha2.js";
import { SednaError, WireError } from "@sedna-js/core";
import { withDeadline } from "@sedna-js/core/async";
import { messageOf } from "@sedna-js/core/errors";
import {
  CONTENT_DIGEST,
  contentDigest,
  isSampleId,
  SAMPLE_UPLOAD_TYPE,
  stampSample,
} from "@sedna-js/core/wire";
import { exchange, rejection, type HttpRequest, type Reply } from "../http/http-request.ts";
import { readJson } from "../http/read-json.ts";
import type { QueueEntry } from "./queue-store.ts";

/** The request that delivers an item. */
export interface Delivery {
  readonly url: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  /**
   * Evaluates a reply with a 2xx status. Default: reads the response of `POST /v1/samples`.
   * @throws {WireError} If the reply does not come from the receiver, but for example from a captive portal.
   */
  readonly read?: (reply: Reply) => "sent" | "duplicate";
}

/**
 * Maps an item to its request. If it throws a WireError, the item can never be sent and is removed as
 * rejected.
 */
export type Route = (entry: QueueEntry, body: Uint8Array) => Delivery;

/**
 * Result of one attempt. `rejected`: never retried. `unauthorized`: cannot succeed until the credentials are
 * corrected.
 */
export type DeliveryOutcome =
  | { readonly outcome: "sent" | "duplicate" }
  | { readonly outcome: "rejected" | "unauthorized" | "failed"; readonly error: SednaError };

/** Options of {@link deliver}. */
export interface DeliverOptions {
  readonly route: Route;
  readonly headers: () => Readonly<Record<string, string>>;
  /** Deadline of the request and its whole reply, in ms. */
  readonly deadlineMs: number;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
}

const ACTION = "send a queued item";
const MAX_REPLY_BYTES = 65_536;
/**
 * Statuses with which a receiver rejects the item itself, with a body of `{ "error": "..." }`. Other 4xx
 * statuses, and other bodies, come from the path to the receiver and may be temporary.
 */
const REFUSALS: readonly number[] = [400, 409, 413, 422];

/** Routes samples to `POST <url>/v1/samples`, stamped with the id and the time that the queue assigned. */
export function sampleRoute(url: string): Route {
  return ({ id, createdAt }, body) => ({
    url: `${url}/v1/samples`,
    body: stampSample(body, { id: idempotencyKey(id), createdAt }),
    contentType: SAMPLE_UPLOAD_TYPE,
  });
}

/** Encodes an item's id for a header: a device may have any name. */
function idempotencyKey(id: string): string {
  return isSampleId(id) ? id : encodeURIComponent(id.replace(/\p{Surrogate}/gu, "\ufffd"));
}

/** Attempts once to send an item. Rejects only if `signal` is aborted. */
export async function deliver(
  { entry, body }: { readonly entry: QueueEntry; readonly body: Uint8Array },
  { route, headers, deadlineMs, fetch, signal }: DeliverOptions,
): Promise<DeliveryOutcome> {
  let delivery: Delivery;
  let request: HttpRequest;
  try {
    delivery = route(entry, body);
    request = {
      url: delivery.url,
      headers: {
        ...headers(),
        "content-type": delivery.contentType,
        "idempotency-key": idempotencyKey(entry.id),
        [CONTENT_DIGEST]: contentDigest(sha256(delivery.body)),
      },
      body: delivery.body,
    };
  } catch (error) {
    return { outcome: error instanceof WireError ? "rejected" : "failed", error: asSednaError(error) };
  }
  const { url, read = readStored } = delivery;
  try {
    const post = (limit: AbortSignal): Promise<Reply> =>
      exchange(request, { action: ACTION, signal: limit, maxReplyBytes: MAX_REPLY_BYTES, fetch });
    const reply = await withDeadline(post, { deadlineMs, signal, action: `${ACTION} to ${url}` });
    if (reply.status >= 200 && reply.status < 300) return { outcome: read(reply) };
    const error = rejection(reply, { action: ACTION, url });
    if (REFUSALS.includes(reply.status) && isRefusal(reply.body)) return { outcome: "rejected", error };
    return { outcome: reply.status === 401 || reply.status === 403 ? "unauthorized" : "failed", error };
  } catch (error) {
    signal.throwIfAborted();
    return { outcome: "failed", error: asSednaError(error) };
  }
}

/** A captive portal also responds with 200: accept only the receiver's own response. */
function readStored({ body }: Reply): "sent" | "duplicate" {
  const answer = readJson(body, "read the response to a sample") as {
    readonly stored?: unknown;
    readonly duplicate?: unknown;
  } | null;
  if (answer?.stored !== true)
    throw new WireError("read the response to a sample: expected { stored: true }; got something else");
  return answer.duplicate === true ? "duplicate" : "sent";
}

/**
 * Returns whether the receiver itself rejected the item. A gateway may respond with its own JSON, which must
 * not lose the item.
 */
function isRefusal(body: Uint8Array): boolean {
  try {
    const value = readJson(body, "read a rejection") as { readonly error?: unknown } | null;
    return typeof value?.error === "string";
  } catch {
    return false;
  }
}

function asSednaError(error: unknown): SednaError {
  if (error instanceof SednaError) return error;
  return new SednaError(`${ACTION}: expected a response; got ${messageOf(error)}`, {
    code: "cloud-unreachable",
    retryable: true,
    cause: error,
  });
}
