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
import { parameterFetcher } from "./fetch-parameters.ts";
import { pollTasks } from "./poll-tasks.ts";
import { serverClock } from "./server-clock.ts";
import { socketTasks } from "./socket-tasks.ts";
import { storedWeights } from "./stored-weights.ts";
import { updateUploader } from "./upload-update.ts";

/** Options of {@link federationTransport}. */
export interface FederationTransportOptions {
  /** The cloud, such as `https://cloud.example`; in a page `/` is where the page came from. */
  readonly url: string | URL;
  /** Of the federation. */
  readonly name: string;
  /** How the tasks come. `poll`: by asking. Default `socket`, which goes without where a network forbids sockets. */
  readonly control?: "socket" | "poll";
  /** Proves who this device is, for federations that ask for it. */
  readonly identity?: Pick<DeviceIdentity, "prove">;
  /** For whom the proofs are, as the aggregator has it. Default: the federation's name. */
  readonly audience?: string;
  /** Weights travel through this store in place of the aggregator's own HTTP, as with Sedna's `aggDataPath`; the aggregator needs the same. */
  readonly weightStore?: WeightStore;
  readonly fetch?: typeof globalThis.fetch;
  /** Bytes of an upload's request at most. Default 8 MiB. */
  readonly chunkBytes?: number;
  /** For a request and its reply, in ms, beside the time that its bytes take. Default 30000. */
  readonly deadlineMs?: number;
  /** How long the aggregator may keep a question for a task, in s. Default 25: proxies cut what is silent for 30. */
  readonly pollWaitS?: number;
  /** Opens a WebSocket. Default: the browser's own, in Node that of `ws`. */
  readonly openSocket?: (url: string, options: { readonly maxMessageBytes: number }) => Promise<ClientSocket>;
  /** For a socket's handshake, in ms. Default 10000. */
  readonly handshakeMs?: number;
  /** A ping so often, in ms; after two without an answer the socket is opened anew. Default 10000. */
  readonly pingMs?: number;
  /** How long to poll where three handshakes have failed, in ms, before sockets are tried again. Default 300000. */
  readonly withoutSocketMs?: number;
  /** Slower than so many bytes a second, the line counts as broken. Default 4096. */
  readonly slowest?: number;
  /** The first wait after a failure is at most this long, in ms; it doubles. Default 1000. */
  readonly baseMs?: number;
  /** The longest wait of our own, in ms. Default 60000. */
  readonly capMs?: number;
  /** Uniform in [0,1). */
  readonly random?: () => number;
  /** Unix time in ms, as this device has it. */
  readonly now?: () => number;
}

const MAX_GRANT_BYTES = 2 ** 22;
const LEAVE_MS = 2000;

/** Reaches a federation's aggregator: tasks over a WebSocket or by asking, models and updates over HTTP as bytes that resume. */
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

  const fetchModel = parameterFetcher({ http, stallMs: deadlineMs });
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
          // A device that starts without a network may think that it is 1970; whom it asks knows better.
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
      : { fetchModel, sendUpdate: updateUploader({ http, chunkBytes, deadlineMs, slowest }) }),
    async sendSecure(phase, { round, message, signal }) {
      const action = `send the secure sum's ${phase} of round ${round}`;
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
      // Who leaves does not care for the answer, and the aggregator finds out anyway.
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
