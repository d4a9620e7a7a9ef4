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
import { exchange, rejection, type Exchange, type Reply } from "../http/exchange.ts";
import { readJson } from "../http/read-json.ts";
import type { QueueEntry } from "./queue-store.ts";

/** Where an item goes, and as what. */
export interface Delivery {
  readonly url: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  /**
   * What a reply with a status of success says. Default: what `POST /v1/samples` answers.
   * @throws {WireError} when it is no answer of the receiver's: some page of someone in between.
   */
  readonly read?: (reply: Reply) => "sent" | "duplicate";
}

/**
 * Says where an item goes. One that it throws a WireError for can never be sent, and is taken off as refused.
 */
export type Route = (entry: QueueEntry, body: Uint8Array) => Delivery;

/**
 * What came of one try. `refused`: never to be tried again; `unauthorised`: not before someone has done
 * something.
 */
export type DeliveryOutcome =
  | { readonly outcome: "sent" | "duplicate" }
  | { readonly outcome: "rejected" | "unauthorized" | "failed"; readonly error: SednaError };

/** Options of {@link deliver}. */
export interface DeliverOptions {
  readonly route: Route;
  readonly headers: () => Readonly<Record<string, string>>;
  /** For the request and its whole reply, in ms. */
  readonly deadlineMs: number;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
}

const ACTION = "send a queued item";
const MAX_REPLY_BYTES = 65_536;
/**
 * What a receiver says of the item itself, as `{ "error": "..." }`. Other statuses of 4xx, and pages of
 * others, are about the way there, and may pass.
 */
const REFUSALS: readonly number[] = [400, 409, 413, 422];

/** Samples go to `POST <url>/v1/samples`, stamped with the id and the time that the queue gave them. */
export function sampleRoute(url: string): Route {
  return ({ id, createdAt }, body) => ({
    url: `${url}/v1/samples`,
    body: stampSample(body, { id: idempotencyKey(id), createdAt }),
    contentType: SAMPLE_UPLOAD_TYPE,
  });
}

/** An item's id as a header can carry it: a device may have any name. */
function idempotencyKey(id: string): string {
  return isSampleId(id) ? id : encodeURIComponent(id.replace(/\p{Surrogate}/gu, "\ufffd"));
}

/** Tries once to send an item. Rejects only where `signal` does. */
export async function deliver(
  { entry, body }: { readonly entry: QueueEntry; readonly body: Uint8Array },
  { route, headers, deadlineMs, fetch, signal }: DeliverOptions,
): Promise<DeliveryOutcome> {
  let delivery: Delivery;
  let request: Exchange;
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

/** A captive portal answers 200 too: only the receiver's own words count. */
function readStored({ body }: Reply): "sent" | "duplicate" {
  const answer = readJson(body, "read the answer to a sample") as {
    readonly stored?: unknown;
    readonly duplicate?: unknown;
  } | null;
  if (answer?.stored !== true)
    throw new WireError("read the answer to a sample: expected { stored: true }; got something else");
  return answer.duplicate === true ? "duplicate" : "sent";
}

/** A gateway on the way has JSON of its own, and speaks for nobody: what it refuses must not be lost. */
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
  return new SednaError(`${ACTION}: expected it to be sent; got ${messageOf(error)}`, {
    code: "cloud-unreachable",
    retryable: true,
    cause: error,
  });
}
