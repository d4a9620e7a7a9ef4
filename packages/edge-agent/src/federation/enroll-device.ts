import { SednaError } from "@sedna-js/core";
import { withDeadline } from "@sedna-js/core/async";
import { parseEnrollmentGrant, type EnrollmentGrant } from "@sedna-js/core/wire";
import { baseUrl } from "../http/base-url.ts";
import { exchange, rejection, type Reply } from "../http/exchange.ts";
import type { DeviceIdentity } from "./device-identity.ts";
import { readAnswer } from "./federation-http.ts";
import { serverClock } from "./server-clock.ts";

/** Options of {@link enrolDevice}. */
export interface EnrollDeviceOptions {
  /** The cloud, such as `https://cloud.example`; in a page `/` is where the page came from. */
  readonly url: string | URL;
  /** Of the federation. */
  readonly name: string;
  readonly identity: DeviceIdentity;
  /** What the aggregator's owner gave out for it. */
  readonly token: string;
  /** For whom proofs are. Default: the federation's name. */
  readonly audience?: string;
  /** What people call the device. */
  readonly label?: string;
  readonly fetch?: typeof globalThis.fetch;
  /** In ms. Default 30000. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Unix time in ms, as this device has it. */
  readonly now?: () => number;
}

const MAX_REPLY_BYTES = 4096;

/**
 * Gets this device a place in a federation; asked again, it is the same place.
 * @throws {SednaError} `cloud-refused` on a token that is not good, or a device that was revoked; others as any request.
 */
export async function enrollDevice({
  url,
  name,
  identity,
  token,
  audience = name,
  label,
  fetch = (input, init) => globalThis.fetch(input, init),
  deadlineMs = 30_000,
  signal,
  now = Date.now,
}: EnrollDeviceOptions): Promise<EnrollmentGrant> {
  const action = `enroll in the federation ${name}`;
  const address = `${baseUrl(url)}/v1/federations/${encodeURIComponent(name)}/devices`;
  const clock = serverClock(now);
  const ask = async (limit: AbortSignal): Promise<Reply> => {
    const proof = await identity.prove({ audience, at: clock.now() });
    const body = new TextEncoder().encode(
      JSON.stringify({ protocol: 1, publicKey: identity.publicKey, ...(label && { label }), proof }),
    );
    return exchange(
      {
        url: address,
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body,
      },
      { action, signal: limit, maxReplyBytes: MAX_REPLY_BYTES, fetch },
    );
  };
  const options = { deadlineMs, action, ...(signal && { signal }) };
  let reply = await withDeadline(ask, options);
  // A device that starts without a network may think that it is 1970; whom it asks knows better.
  if (reply.status === 403 && clock.learn(reply)) reply = await withDeadline(ask, options);
  if (reply.status === 404)
    throw new SednaError(
      `${action} at ${address}: expected an aggregator that enrols devices; got 404: is it one that lets in any device, or has no such federation?`,
      { code: "cloud-refused" },
    );
  if (reply.status !== 200 && reply.status !== 201) throw rejection(reply, { action, url: address });
  const grant = readAnswer(reply, { action, read: parseEnrollmentGrant });
  if (grant.device !== identity.device)
    throw new SednaError(`${action}: expected to be taken in as ${identity.device}; got ${grant.device}`, {
      code: "cloud-garbage",
      retryable: true,
    });
  return grant;
}
