import { SednaError } from "@sedna-js/core";
import { withDeadline } from "@sedna-js/core/async";
import { parseEnrollmentGrant, type EnrollmentGrant } from "@sedna-js/core/wire";
import { baseUrl } from "../http/base-url.ts";
import { exchange, rejection, type Reply } from "../http/http-request.ts";
import type { DeviceIdentity } from "./device-identity.ts";
import { readAnswer } from "./federation-http.ts";
import { serverClock } from "./server-clock.ts";

/** Options of {@link enrollDevice}. */
export interface EnrollDeviceOptions {
  /** URL of the cloud, such as `https://cloud.example`. In a page `/` is the page's own origin. */
  readonly url: string | URL;
  /** Name of the federation. */
  readonly name: string;
  readonly identity: DeviceIdentity;
  /** Enrollment token from the aggregator's owner. */
  readonly token: string;
  /** Audience of the proofs. Default: the federation's name. */
  readonly audience?: string;
  /** Human-readable name of the device. */
  readonly label?: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Timeout of each request, in ms. Default 30000. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** This device's clock: unix time in ms. Default `Date.now`. */
  readonly now?: () => number;
}

const MAX_REPLY_BYTES = 4096;

/**
 * Enrolls this device in a federation. Enrolling the same device again returns the same enrollment.
 *
 * @throws {SednaError} `cloud-refused` if the token is invalid or the device was revoked; otherwise the
 * errors of any request.
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
  const options = { deadlineMs, action, signal };
  let reply = await withDeadline(ask, options);
  // A device that starts without a network may have a clock at 1970. Learn the server's time and retry once.
  if (reply.status === 403 && clock.learn(reply)) reply = await withDeadline(ask, options);
  if (reply.status === 404)
    throw new SednaError(
      `${action} at ${address}: expected an aggregator that enrolls devices; got 404: the aggregator may accept any device, or may not have this federation`,
      { code: "cloud-refused" },
    );
  if (reply.status !== 200 && reply.status !== 201) throw rejection(reply, { action, url: address });
  const grant = readAnswer(reply, { action, read: parseEnrollmentGrant });
  if (grant.device !== identity.device)
    throw new SednaError(`${action}: expected to be enrolled as ${identity.device}; got ${grant.device}`, {
      code: "cloud-garbage",
      retryable: true,
    });
  return grant;
}
