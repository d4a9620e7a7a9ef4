import { SednaError } from "@sedna-js/core";
import { withDeadline } from "@sedna-js/core/async";
import { parseFederationStatus, type FederationStatus } from "@sedna-js/core/wire";
import { baseUrl } from "../http/base-url.ts";
import { exchange, rejection } from "../http/exchange.ts";
import { readAnswer } from "./federation-http.ts";

/** Options of {@link fetchFederationStatus}. */
export interface FetchFederationStatusOptions {
  /** The cloud, such as `https://cloud.example`; in a page `/` is where the page came from. */
  readonly url: string | URL;
  /** Of the federation. */
  readonly name: string;
  readonly fetch?: typeof globalThis.fetch;
  /** In ms. Default 30000. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

const MAX_BYTES = 2 ** 26;

/**
 * How a federation stands and what it trains, as its aggregator tells anyone.
 * @throws {SednaError} `cloud-refused`, `cloud-unreachable`, `cloud-timeout`, `cloud-busy`, `cloud-garbage`.
 */
export async function fetchFederationStatus({
  url,
  name,
  fetch = (input, init) => globalThis.fetch(input, init),
  deadlineMs = 30_000,
  signal,
}: FetchFederationStatusOptions): Promise<FederationStatus> {
  const action = `ask how the federation ${name} stands`;
  const address = `${baseUrl(url)}/v1/federations/${encodeURIComponent(name)}`;
  const ask = (limit: AbortSignal): ReturnType<typeof exchange> =>
    exchange(
      { method: "GET", url: address, headers: {} },
      { action, signal: limit, maxReplyBytes: MAX_BYTES, fetch },
    );
  const reply = await withDeadline(ask, { deadlineMs, action, ...(signal && { signal }) });
  if (reply.status === 404)
    throw new SednaError(`${action} at ${address}: expected a federation of that name; got 404`, {
      code: "cloud-refused",
    });
  if (reply.status !== 200) throw rejection(reply, { action, url: address });
  return readAnswer(reply, { action, read: parseFederationStatus });
}
