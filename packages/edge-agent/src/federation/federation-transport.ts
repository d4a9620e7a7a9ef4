import { SednaError, type FederationTransport } from "@sedna-js/core";
import { checkDeadline } from "@sedna-js/core/async";
import type { WeightStore } from "@sedna-js/core/weight-store";
import {
  parseSessionGrant,
  parseUpdateReceipt,
  parseUpdateRejection,
  UPDATE_TYPE,
  type SessionGrant,
} from "@sedna-js/core/wire";
import { openClientSocket, type ClientSocket } from "#platform/http";
import { baseUrl } from "../http/base-url.ts";
import type { DeviceIdentity } from "./device-identity.ts";
import { federationHttp, readAnswer } from "./federation-http.ts";
import { federationSession } from "./federation-session.ts";
import { createParameterFetcher } from "./fetch-parameters.ts";
import { pollTasks } from "./poll-tasks.ts";
import { serverClock } from "./server-clock.ts";
import { socketTasks } from "./socket-tasks.ts";
import { storedWeights } from "./stored-weights.ts";
import { createUpdateUploader } from "./upload-update.ts";

/** Options of {@link federationTransport}. */
export interface FederationTransportOptions {
  /** URL of the cloud, such as `https://cloud.example`. In a page `/` is the page's own origin. */
  readonly url: string | URL;
  /** Name of the federation. */
  readonly name: string;
  /**
   * Channel for the tasks. `socket` uses a WebSocket and falls back to polling if a network forbids sockets;
   * `poll` only polls. Default `socket`.
   */
  readonly control?: "socket" | "poll";
  /** Proves the identity of this device, for federations that require a proof. */
  readonly identity?: Pick<DeviceIdentity, "prove">;
  /** Audience of the proofs, as configured on the aggregator. Default: the federation's name. */
  readonly audience?: string;
  /**
   * Store that transfers the weights instead of the aggregator's own HTTP, like Sedna's `aggDataPath`. The
   * aggregator must use the same store.
   */
  readonly weightStore?: WeightStore;
  readonly fetch?: typeof globalThis.fetch;
  /** Maximum size of an upload request's body, in bytes. Default 8 MiB. */
  readonly chunkBytes?: number;
  /**
   * Timeout of a request and its response, in ms, in addition to the time for transferring its bytes. Default
   * 30000.
   */
  readonly deadlineMs?: number;
  /**
   * Time for which the aggregator may hold a task request, in seconds. Default 25, because proxies cut
   * connections that are silent for 30 seconds.
   */
  readonly pollWaitS?: number;
  /** Opens a WebSocket. Default: the browser's own; in Node that of `ws`. */
  readonly openSocket?: (url: string, options: { readonly maxMessageBytes: number }) => Promise<ClientSocket>;
  /** Timeout of a socket's handshake, in ms. Default 10000. */
  readonly handshakeMs?: number;
  /** Time between pings, in ms. After two unanswered pings the socket is opened again. Default 10000. */
  readonly pingMs?: number;
  /**
   * Time for which to poll after three failed handshakes before sockets are tried again, in ms. Default
   * 300000.
   */
  readonly withoutSocketMs?: number;
  /** Minimum upload rate, in bytes per second; a slower connection counts as broken. Default 4096. */
  readonly slowest?: number;
  /** Maximum delay before the first retry, in ms; it doubles with every retry. Default 1000. */
  readonly baseMs?: number;
  /** Maximum delay between retries, in ms, unless the server requests a longer one. Default 60000. */
  readonly capMs?: number;
  /** Random source, uniform in [0,1). */
  readonly random?: () => number;
  /** This device's clock: unix time in ms. */
  readonly now?: () => number;
}

const MAX_GRANT_BYTES = 2 ** 22;
const LEAVE_MS = 2000;

/**
 * Creates a transport to a federation's aggregator. Tasks arrive over a WebSocket or by polling; models and
 * updates travel over HTTP as resumable byte streams.
 */
export function federationTransport({
  url,
  name,
  control = "socket",
  identity,
  audience = name,
  weightStore,
  fetch = (input, init) => globalThis.fetch(input, init),
  chunkBytes = 2 ** 23,
  deadlineMs = 30_000,
  pollWaitS = 25,
  openSocket = openClientSocket,
  handshakeMs = 10_000,
  pingMs = 10_000,
  withoutSocketMs = 300_000,
  slowest = 4096,
  baseMs = 1000,
  capMs = 60_000,
  random = Math.random,
  now = Date.now,
}: FederationTransportOptions): FederationTransport {
  checkDeadline(deadlineMs);
  if (!(Number.isInteger(chunkBytes) && chunkBytes >= 1))
    throw new RangeError(
      `reach a federation: expected chunkBytes as a whole number from 1 up; got ${chunkBytes}`,
    );
  const session = federationSession();
  let known = false;
  const clock = serverClock(now);
  const http = federationHttp({
    base: `${baseUrl(url)}/v1/federations/${encodeURIComponent(name)}`,
    fetch,
    session,
    known: () => known,
  });

  const fetchModel = createParameterFetcher({ http, stallMs: deadlineMs });
  const poll = (signal: AbortSignal): ReturnType<typeof pollTasks> =>
    pollTasks({ http, signal, waitS: pollWaitS, deadlineMs, baseMs, capMs, random });

  return {
    async join(request, { signal }) {
      const action = `join the federation ${name}`;
      let isLate = false;
      const ask = async (): Promise<SessionGrant> => {
        const proof = identity && (await identity.prove({ audience, at: clock.now() }));
        const body = new TextEncoder().encode(JSON.stringify({ ...request, ...(proof && { proof }) }));
        const reply = await http.ask({
          action,
          method: "POST",
          path: "/sessions",
          headers: { "content-type": "application/json" },
          body,
          deadlineMs,
          maxReplyBytes: MAX_GRANT_BYTES,
          anonymous: true,
          signal,
          onRefused: (rejected) => (isLate = clock.learn(rejected)),
        });
        if (reply.status >= 300)
          throw new SednaError(
            `${action}: expected a session; got ${new TextDecoder().decode(reply.body).slice(0, 200)}`,
            { code: "cloud-refused" },
          );
        return readAnswer(reply, { action, read: parseSessionGrant });
      };
      const grant = await session.begin(() =>
        ask().catch((error: unknown) => {
          // A device that starts without a network may have a clock at 1970. Learn the server's time and
          // retry once.
          if (!(identity && isLate && error instanceof SednaError && error.code === "cloud-refused"))
            throw error;
          return ask();
        }),
      );
      known = true;
      return grant;
    },
    tasks: ({ signal }) =>
      control === "poll"
        ? poll(signal)
        : socketTasks({
            url: http.url("/control").replace(/^http/, "ws"),
            session,
            signal,
            open: openSocket,
            poll,
            withoutMs: withoutSocketMs,
            handshakeMs,
            pingMs,
            baseMs,
            capMs,
            random,
          }),
    ...(weightStore
      ? storedWeights({ store: weightStore, name, http, deadlineMs, fetchModel })
      : { fetchModel, sendUpdate: createUpdateUploader({ http, chunkBytes, deadlineMs, slowest }) }),
    async sendSecure(phase, { round, message, signal }) {
      const action = `send the ${phase} message of secure aggregation in round ${round}`;
      const headers = { "content-type": phase === "masked" ? UPDATE_TYPE : "application/json" };
      const reply = await http.ask({
        action,
        method: "POST",
        path: `/secure/${phase}`,
        headers,
        body: message,
        deadlineMs: deadlineMs + (1000 * message.length) / slowest,
        maxReplyBytes: 65_536,
        signal,
      });
      return reply.status >= 300
        ? readAnswer(reply, { action, read: parseUpdateRejection })
        : readAnswer(reply, { action, read: parseUpdateReceipt });
    },
    async leave() {
      const token = session.forget();
      if (token === undefined) return;
      // Ignore the result: the session is gone here, and the aggregator ends an abandoned session by itself.
      const signal = AbortSignal.timeout(LEAVE_MS);
      await http
        .ask({
          action: "leave",
          method: "DELETE",
          path: "/sessions",
          headers: { authorization: `Bearer ${token}` },
          deadlineMs: LEAVE_MS,
          maxReplyBytes: 65_536,
          anonymous: true,
          signal,
        })
        .catch(() => {});
    },
  };
}
