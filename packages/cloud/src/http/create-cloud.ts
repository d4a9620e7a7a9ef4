import { version } from "@sedna-js/core/version";
import { Hono, type MiddlewareHandler } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { createMetrics, METRICS_TYPE } from "@sedna-js/core/adapters/prometheus";
import { INFERENCE_HEADER_LENGTH } from "@sedna-js/core/wire";
import { acceptUpgrades } from "./accept-upgrade.ts";
import { createSocketTracker } from "./socket-tracker.ts";
import type { Logger, Service, SocketRoute } from "./service.ts";
import type { WebSocketLike } from "./service-socket.ts";

/** Options of {@link createCloud}. */
export interface CloudOptions {
  readonly services: readonly Service[];
  /** Origins of pages that may send requests, exactly as browsers send them. Default: none. */
  readonly origins?: readonly string[];
  /**
   * If set, every route except health and the services' `guardedPaths` requires `Authorization: Bearer
   * <token>`.
   */
  readonly token?: string;
  /** Maximum size of a request's body, in bytes; a larger body is rejected with 413. Default 32 MiB. */
  readonly maxBodyBytes?: number;
  readonly logger?: Logger;
}

/** A cloud is a function from requests to responses. The host owns the network sockets. */
export interface Cloud {
  (request: Request): Promise<Response>;
  /**
   * Starts the services, which load their models. Until then readiness and every request for a WebSocket get
   * 503.
   */
  start(): Promise<void>;
  /** Checks a request for a WebSocket. Resolves to its route, or to the response that rejects it. */
  acceptUpgrade(request: Request): Promise<SocketRoute | Response>;
  /** Connects a host's WebSocket to the route that {@link Cloud.acceptUpgrade} returned for its request. */
  openSocket(
    socket: WebSocketLike,
    options: { readonly route: SocketRoute; readonly request: Request },
  ): void;
  /** Whether a service accepts WebSockets. */
  readonly takesSockets: boolean;
  /**
   * Shuts the cloud down: readiness becomes 503; WebSockets are closed with code 1012 (the reason is JSON:
   * `retryAfterMs`, the time after which that client may reconnect); accepted requests are completed; then
   * the services are closed, which frees their memory. Further calls have no effect.
   */
  drain(): Promise<void>;
}

const silent: Logger = { info() {}, error() {} };

/**
 * Combines services into one cloud, with health checks, metrics, limits, and access control.
 * @throws {TypeError} If an origin is invalid, such as `*` or one with a path.
 * @throws {RangeError} If the token has an invalid character or two services have the same name.
 *
 * @example
 * ```ts
 * import { createCloud, memorySamples, sampleService } from "@sedna-js/cloud";
 *
 * const cloud = createCloud({ services: [sampleService({ store: memorySamples() })] });
 * await cloud.start();
 * const response = await cloud(new Request("http://cloud.example/v2"));
 * console.log(response.status); // => 200
 * await cloud.drain();
 * ```
 */
export function createCloud({
  services,
  origins = [],
  token,
  maxBodyBytes = 32 * 2 ** 20,
  logger = silent,
}: CloudOptions): Cloud {
  for (const origin of origins) checkOrigin(origin);
  if (token !== undefined && !/^[\w.~+/-]+=*$/.test(token))
    throw new RangeError(
      'set the token: expected letters, digits and "-._~+/", at least one; got other text',
    );
  const names = services.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new RangeError(
      `create a cloud: expected services with unique names; got ${JSON.stringify(twice)} twice`,
    );
  const metrics = createMetrics({
    sedna_requests_total: { type: "counter", text: "Requests handled, by model, protocol and status." },
    sedna_inference_seconds: {
      type: "histogram",
      text: "Duration of model runs in seconds, one batch each, including the decoding of pictures.",
    },
    sedna_inference_samples_total: { type: "counter", text: "Samples processed by model runs." },
    sedna_queue_samples: { type: "gauge", text: "Samples waiting for a run." },
    sedna_samples_total: {
      type: "counter",
      text: "Samples that edges uploaded, by status: 201 stored, 200 already stored.",
    },
    sedna_model_files_total: { type: "counter", text: "Requests for files of published models, by status." },
    sedna_federation_rounds_total: {
      type: "counter",
      text: "Rounds of federations that closed, by outcome.",
    },
    sedna_federation_updates_total: {
      type: "counter",
      text: "Updates that were received completely, by result: accepted, or the code of the rejection.",
    },
    sedna_federation_bytes_total: { type: "counter", text: "Bytes of updates received." },
    sedna_federation_check_seconds_total: {
      type: "counter",
      text: "Time spent checking and aggregating updates, in seconds.",
    },
    sedna_federation_uploads: {
      type: "gauge",
      text: "Uploads in progress, by state: in memory, or waiting for a buffer.",
    },
    sedna_federation_open_seconds: {
      type: "gauge",
      text: "Time since the active round opened, in seconds; 0 without an active round.",
    },
    sedna_federation_model_version: { type: "gauge", text: "Version of the latest model." },
    sedna_sockets: { type: "gauge", text: "Open WebSockets." },
    sedna_sockets_closed_total: {
      type: "counter",
      text: "WebSockets that closed, by code: 1000 and 1001 as planned, 1006 connection lost.",
    },
    sedna_sockets_refused_total: {
      type: "counter",
      text: "Requests for a WebSocket that were rejected, by status.",
    },
    sedna_refused_total: {
      type: "counter",
      text: "Requests rejected with 400, 401, 404 or 413, or with 503 while shutting down, by status.",
    },
  });
  let draining: Promise<void> | undefined;
  let started = false;
  const ready = (): boolean => draining === undefined && services.every((service) => service.ready);

  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.res.headers.set("x-content-type-options", "nosniff");
    if ([400, 401, 404, 413].includes(c.res.status))
      metrics.add("sedna_refused_total", { code: String(c.res.status) });
  });
  const forPages = cors({
    origin: (origin) => (origins.includes(origin) ? origin : null),
    allowMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
    exposeHeaders: [INFERENCE_HEADER_LENGTH, "retry-after", "etag", "content-range", "upload-offset", "date"],
    maxAge: 600,
  });
  // Only browsers send an Origin. For other clients skip the middleware, which would re-create each response.
  app.use((c, next) => (c.req.header("origin") === undefined ? next() : forPages(c, next)));
  const guarded = services.flatMap(({ guardedPaths = [] }) => guardedPaths);
  const unlessGuarded =
    (check: MiddlewareHandler): MiddlewareHandler =>
    (c, next) =>
      guarded.some((path) => c.req.path.startsWith(path)) ? next() : check(c, next);
  app.use(
    unlessGuarded(
      bodyLimit({
        maxSize: maxBodyBytes,
        onError: (c) =>
          c.json(
            { error: `read a request: expected a body of at most ${maxBodyBytes} bytes; got more` },
            413,
            { connection: "close" },
          ),
      }),
    ),
  );

  app.get("/v2/health/live", (c) => c.json({ live: true }));
  app.get("/v2/health/ready", (c) =>
    ready() ? c.json({ ready: true }) : c.json({ ready: false }, 503, { "retry-after": "1" }),
  );
  const message = { error: "expected Authorization: Bearer with the server's token" };
  const authorize =
    token === undefined
      ? undefined
      : bearerAuth({
          token,
          noAuthenticationHeader: { message },
          invalidAuthenticationHeader: { message },
          invalidToken: { message },
        });
  if (authorize) app.use(unlessGuarded(authorize));
  const active = { requests: 0, allDone: (): void => {} };
  app.use(async (_, next) => {
    if (draining) {
      metrics.add("sedna_refused_total", { code: "503" });
      return shuttingDown();
    }
    active.requests++;
    try {
      return await next();
    } finally {
      active.requests--;
      if (active.requests === 0) active.allDone();
    }
  });
  app.get("/v2", (c) => c.json({ name: "sedna-js", version, extensions: ["binary_tensor_data"] }));
  app.get("/metrics", (c) => c.text(metrics.text(), 200, { "content-type": METRICS_TYPE }));
  for (const service of services) service.mount(app, { metrics, logger });

  app.notFound((c) => c.json({ error: `no such route: ${c.req.method} ${c.req.path}` }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    logger.error({ error: error.message, path: c.req.path }, "a request failed");
    return c.text("Internal Server Error", 500);
  });

  const sockets = createSocketTracker({ metrics, logger });
  const accept = acceptUpgrades({
    services,
    origins,
    authorize,
    refuse: () => (draining ? shuttingDown() : started ? undefined : unavailable("the server is starting")),
    onError: (error, request) =>
      logger.error(
        { error: error.message, path: new URL(request.url).pathname },
        "a socket could not be opened",
      ),
  });

  return Object.assign(async (request: Request): Promise<Response> => app.fetch(request), {
    async start() {
      await Promise.all(services.map((service) => service.start()));
      started = true;
    },
    async acceptUpgrade(request: Request) {
      const answer = await accept(request);
      if ("status" in answer) metrics.add("sedna_sockets_refused_total", { code: String(answer.status) });
      return answer;
    },
    openSocket: sockets.open,
    takesSockets: services.some((service) => (service.sockets?.length ?? 0) > 0),
    drain() {
      draining ??= (async () => {
        sockets.close();
        for (const service of services) service.drain?.();
        if (active.requests > 0) await new Promise<void>((resolve) => (active.allDone = resolve));
        await Promise.all(services.map((service) => service.close()));
      })();
      return draining;
    },
  });
}

const shuttingDown = (): Response => unavailable("the server is shutting down");
const unavailable = (error: string): Response =>
  new Response(JSON.stringify({ error }), {
    status: 503,
    headers: { "content-type": "application/json", "retry-after": "1", connection: "close" },
  });

function checkOrigin(origin: string): void {
  let url: URL | undefined;
  try {
    url = new URL(origin);
  } catch {
    // Falls through to the message below.
  }
  if (url?.origin !== origin)
    throw new TypeError(
      `allow an origin: expected one such as https://app.example; got ${JSON.stringify(origin)}`,
    );
}
