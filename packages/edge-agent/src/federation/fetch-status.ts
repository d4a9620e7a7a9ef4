import { SednaError } from "@sedna-js/core";
import { withDeadline } from "@sedna-js/core/async";
import { parseFederationStatus, type FederationStatus } from "@sedna-js/core/wire";
import { baseUrl } from "../http/base-url.ts";
import { exchange, rejection } from "../http/http-request.ts";
import { readAnswer } from "./federation-http.ts";

/** Options of {@link fetchFederationStatus}. */
export interface FetchFederationStatusOptions {
  /** URL of the cloud, such as `https://cloud.example`. In a page `/` is the page's own origin. */
  readonly url: string | URL;
  /** Name of the federation. */
  readonly name: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Timeout, in ms. Default 30000. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

const MAX_BYTES = 2 ** 26;

/**
 * Fetches the public status of a federation, which needs no authentication: its state and what it trains.
 *
 * @throws {SednaError} `cloud-refused`, `cloud-unreachable`, `cloud-timeout`, `cloud-busy`, `cloud-garbage`.
 */
export async function fetchFederationStatus({
  url,
  name,
  fetch = (input, init) => globalThis.fetch(input, init),
  deadlineMs = 30_000,
  signal,
}: FetchFederationStatusOptions): Promise<FederationStatus> {
  const action = `fetch the status of the federation ${name}`;
  const address = `${baseUrl(url)}/v1/federations/${encodeURIComponent(name)}`;
  const ask = (limit: AbortSignal): ReturnType<typeof exchange> =>
    exchange(
      { method: "GET", url: address, headers: {} },
      { action, signal: limit, maxReplyBytes: MAX_BYTES, fetch },
    );
  const reply = await withDeadline(ask, { deadlineMs, action, signal });
  if (reply.status === 404)
    throw new SednaError(`${action} at ${address}: expected a federation of that name; got 404`, {
      code: "cloud-refused",
    });
  if (reply.status !== 200) throw rejection(reply, { action, url: address });
  return readAnswer(reply, { action, read: parseFederationStatus });
}
