import type { WeightStore } from "@sedna-js/core/weight-store";
import {
  type FederationTask,
  parseSessionRequest,
  SECURE_PHASES,
  type SessionGrant,
  UPDATE_REFERENCE_TYPE,
} from "@sedna-js/core/wire";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { bodyChunks } from "../http/body-chunks.ts";
import { isKnown, readRange } from "../http/byte-range.ts";
import type { Service, ServiceContext, SocketRoute } from "../http/service.ts";
import { collectFederationMetrics } from "./federation-stats.ts";
import type { Federation } from "./federation.ts";
import { bytesOf } from "./log/float-bytes.ts";
import { reject, tellError } from "./protocol/failure-response.ts";
import { storedWeights, type StoredWeights } from "./protocol/stored-weights.ts";
import { takeUpload } from "./protocol/take-upload.ts";
import { createTaskPolls } from "./protocol/task-polls.ts";
import type { Member } from "./sessions/member.ts";
import type { Sessions } from "./sessions/sessions.ts";
import { createBodyBudget } from "../http/body-budget.ts";

/** Options of {@link federationService}. */
export interface FederationServiceOptions {
  /** The federations, found by the names of their plans. */
  readonly federations: readonly Federation[];
  readonly sessions: Sessions;
  /** WebSocket routes for clients, such as those of `controlSocket`. */
  readonly sockets?: readonly SocketRoute[];
  /**
   * Store from which the service reads the updates of clients and to which it writes models, as Sedna does
   * with S3. Uploaded updates are accepted too.
   */
  readonly weightStore?: WeightStore;
  /** Maximum duration of a long poll for a task, in ms. Default 30000. */
  readonly maxWaitMs?: number;
  /** Name of the service in the cloud. Default `federations`. */
  readonly name?: string;
}

const ROOT = "/v1/federations/";

const MAX_SESSION_BYTES = 65_536;

/** Memory for secure aggregation responses, in bytes. Each response is added as soon as it is complete. */
const SECURE_BYTES = 64 * 2 ** 20;

/** Input of a request handler. */
interface Asked {
  readonly c: Context;
  readonly federation: Federation;
}

/**
 * Creates the service of federations over HTTP, below `/v1/federations/<name>`. The routes are at the head of
 * core's `wire/federation.ts`. The tokens of its sessions identify clients; the cloud's token and its limit
 * for bodies do not apply. The plan limits the size of an update, and an update is in memory only in its
 * upload slot.
 *
 * @example
 * ```ts
 * import { aggregation, select } from "@sedna-js/core";
 * import { anonymousSessions, createCloud, createFederation, federationService } from "@sedna-js/cloud";
 *
 * const federation = createFederation({
 *   name: "digits",
 *   model: { head: { kind: "softmax", features: 64, classes: 10 } },
 *   aggregator: select(aggregation, { method: "FedAvg" }),
 *   rounds: { participants: 2 },
 * });
 * const cloud = createCloud({
 *   services: [federationService({ federations: [federation], sessions: anonymousSessions() })],
 * });
 * await cloud.start();
 * const status = await cloud(new Request("http://cloud.example/v1/federations/digits"));
 * console.log((await status.json()).state); // => waiting
 * await cloud.drain();
 * ```
 */
export function federationService({
  federations,
  sessions,
  sockets = [],
  weightStore,
  maxWaitMs = 30_000,
  name = "federations",
}: FederationServiceOptions): Service {
  const byName = new Map(federations.map((federation) => [federation.plan.name, federation]));
  if (byName.size < federations.length)
    throw new RangeError("serve federations: expected different names; got one name twice");
  const polls = new Map(
    federations.map((federation) => [federation, createTaskPolls({ federation, maxWaitMs })]),
  );
  const following: (() => void)[] = [];
  /** Created in `mount`, which provides the logger, and thus before the start. */
  let stored: StoredWeights | undefined;
  const secureBodies = createBodyBudget({ bytes: SECURE_BYTES, now: () => performance.now() });
  let state: "new" | "open" | "closing" | "closed" = "new";

  const memberOf = async (c: Context): Promise<Member | Response> => {
    const token = /^Bearer ([\w.~+/-]+=*)$/.exec(c.req.header("authorization") ?? "")?.[1];
    const member =
      token === undefined
        ? ({
            rejected: "unauthorized",
            error: "expected Authorization: Bearer with a session's token",
          } as const)
        : await sessions.verify(token);
    if (!("rejected" in member)) return member;
    return reject(c, {
      status: member.rejected === "unauthorized" ? 401 : 409,
      error: member.error,
      code: member.rejected,
    });
  };

  const join = async ({ c, federation }: Asked): Promise<Response> => {
    const { numSamples, resources = {}, ...request } = parseSessionRequest(await c.req.text());
    const { token, expiresIn, client, epoch } = await sessions.grant(
      { ...request, numSamples, resources },
      { after: federation.epochOf(request.device) },
    );
    federation.join({ client, epoch, kind: "sedna-js", numSamples, resources });
    const grant: SessionGrant = { token, expiresIn, epoch, now: Date.now(), plan: federation.plan };
    return c.json(grant, 201, { "cache-control": "no-store" });
  };

  const leave = async ({ c, federation }: Asked, member: Member): Promise<Response> => {
    sessions.end(member);
    federation.leave(member);
    return c.body(null, 204);
  };

  const tell = async ({ c, federation }: Asked, member: Member): Promise<Response> => {
    const { after, wait } = c.req.query();
    const seconds = Number(wait ?? 0);
    if (!(seconds >= 0))
      return reject(c, {
        status: 400,
        error: `request a task: expected wait in seconds; got ${JSON.stringify(wait)}`,
      });
    const task: FederationTask | undefined = await polls.get(federation)!.next(member, {
      after: after === undefined ? undefined : Number(after),
      waitMs: 1000 * seconds,
      signal: c.req.raw.signal,
    });
    if (!task)
      return reject(c, {
        status: 503,
        error: "the server is shutting down",
        headers: { "retry-after": "1" },
      });
    return c.json(task, 200, { "cache-control": "no-store" });
  };

  const give = async ({ c, federation }: Asked): Promise<Response> => {
    const { version = "" } = c.req.param();
    const model = /^\d{1,15}$/.test(version) ? federation.model(Number(version)) : undefined;
    if (!model)
      return reject(c, {
        status: 404,
        error: "fetch a model: expected a version that is kept; got another version",
      });
    const bytes = bytesOf(model.parameters);
    const etag = `"${model.sha256}"`;
    const headers: Record<string, string> = {
      etag,
      "accept-ranges": "bytes",
      "content-type": "application/octet-stream",
      "cache-control": "private, max-age=3600, immutable",
    };
    if (isKnown(c.req.header("if-none-match"), etag)) return c.body(null, 304, headers);
    const range = readRange(
      { method: c.req.method, range: c.req.header("range"), ifRange: c.req.header("if-range") },
      { size: bytes.length, etag },
    );
    if (range === "outside")
      return c.body(null, 416, { ...headers, "content-range": `bytes */${bytes.length}` });
    const { start, end } = range ?? { start: 0, end: bytes.length };
    if (range) headers["content-range"] = `bytes ${start}-${end - 1}/${bytes.length}`;
    if (c.req.method === "HEAD")
      return c.body(null, 200, { ...headers, "content-length": String(bytes.length) });
    return c.body(bytes.subarray(start, end), range ? 206 : 200, {
      ...headers,
      "content-length": String(end - start),
    });
  };

  const admit = async ({ c, federation }: Asked, member: Member): Promise<Response> => {
    const offset = await federation.admit(member, {
      round: Number(c.req.param("round")),
      signal: c.req.raw.signal,
    });
    return c.body(null, 200, { "upload-offset": String(offset), "cache-control": "no-store" });
  };

  const takeSecure = async ({ c, federation }: Asked, member: Member): Promise<Response> => {
    const phase = SECURE_PHASES.find((one) => one === c.req.param("phase"));
    const most = phase && federation.maxSecureBytes(phase);
    if (!phase || !most)
      return reject(c, {
        status: 404,
        error:
          "accept a secure aggregation response: expected a phase of this federation's secure aggregation; got another",
      });
    const body = await secureBodies.read(bodyChunks(c.req.raw), { most });
    if (!body)
      return reject(c, {
        status: 413,
        error: `accept a secure aggregation response: expected at most ${most} bytes; got more`,
        code: "too-long",
        headers: { connection: "close" },
      });
    const receipt = federation.receiveSecure(member, { phase, body });
    if (!("rejected" in receipt)) return c.json(receipt, 200, { "cache-control": "no-store" });
    const { rejected: code, error, round } = receipt;
    return c.json({ error, code, round }, code === "wrong-shape" || code === "wrong-length" ? 400 : 409, {
      "cache-control": "no-store",
    });
  };

  /** Finds the federation, calls the handler, and converts errors to responses of the protocol. */
  const answer =
    (handle: (asked: Asked) => Promise<Response>, { logger }: ServiceContext) =>
    async (c: Context): Promise<Response> => {
      const federation = byName.get(c.req.param("name") ?? "");
      if (!federation)
        return reject(c, { status: 404, error: "expected the name of a federation; got an unknown name" });
      if (state !== "open")
        return reject(c, {
          status: 503,
          error: state === "new" ? "the federation has not started yet" : "the server is shutting down",
          headers: { "retry-after": "1" },
        });
      try {
        return await handle({ c, federation });
      } catch (error) {
        if (c.req.raw.signal.aborted) return c.body(null, 400);
        return tellError(c, { error, logger });
      }
    };
  const asMember =
    (handle: (asked: Asked, member: Member) => Promise<Response>) =>
    async (asked: Asked): Promise<Response> => {
      const member = await memberOf(asked.c);
      return member instanceof Response ? member : handle(asked, member);
    };

  return {
    name,
    guardedPaths: [ROOT],
    sockets,
    get ready() {
      return state === "open" && federations.every((federation) => federation.stats().healthy);
    },
    async start() {
      await Promise.all(federations.map((federation) => federation.start()));
      for (const federation of stored ? federations : []) following.push(stored!.follow(federation));
      state = "open";
    },
    mount(app, context) {
      const at = (path: string): string => `${ROOT}:name${path}`;
      const limit = bodyLimit({
        maxSize: MAX_SESSION_BYTES,
        onError: (c) =>
          c.json({ error: `join: expected at most ${MAX_SESSION_BYTES} bytes; got more` }, 413, {
            connection: "close",
          }),
      });
      collectFederationMetrics(federations, context.metrics);
      stored = weightStore && storedWeights({ store: weightStore, logger: context.logger });
      app.get(
        at(""),
        answer(
          async ({ c, federation }) => c.json(federation.status(), 200, { "cache-control": "no-store" }),
          context,
        ),
      );
      app.post(at("/sessions"), limit, answer(join, context));
      app.delete(at("/sessions"), answer(asMember(leave), context));
      app.get(at("/task"), answer(asMember(tell), context));
      app.get(at("/models/:version"), answer(asMember(give), context));
      // A GET route also responds to HEAD.
      app.get(at("/rounds/:round/update"), answer(asMember(admit), context));
      app.put(
        at("/rounds/:round/update"),
        answer(
          asMember(({ c, federation }, member) =>
            stored && c.req.header("content-type") === UPDATE_REFERENCE_TYPE
              ? stored.take(c, { federation, member })
              : takeUpload(c, { federation, member }),
          ),
          context,
        ),
      );
      app.post(at("/secure/:phase"), answer(asMember(takeSecure), context));
      app.all(`${ROOT}*`, (c) =>
        c.json({ error: `no such route of a federation: ${c.req.method} ${c.req.path}` }, 404),
      );
    },
    drain() {
      if (state === "open") state = "closing";
      for (const one of polls.values()) one.end();
    },
    async close() {
      state = "closed";
      for (const end of following.splice(0)) end();
      for (const one of polls.values()) one.end();
      await Promise.all(federations.map((federation) => federation.close()));
    },
  };
}
