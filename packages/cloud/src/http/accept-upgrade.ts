import { Hono, type MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Service, SocketRoute } from "./service.ts";

/** Options of {@link acceptUpgrades}. */
export interface AcceptUpgradesOptions {
  readonly services: readonly Service[];
  readonly origins: readonly string[];
  /** Middleware that requires the cloud's token, if the cloud has one. */
  readonly authorize: MiddlewareHandler | undefined;
  /**
   * Returns the response that rejects every socket at present, such as during a shutdown; `undefined` to
   * accept sockets.
   */
  readonly refuse: () => Response | undefined;
  readonly onError: (error: Error, request: Request) => void;
}

/**
 * Creates a function that checks whether a request may open a WebSocket. The function returns the matching
 * route, or the response that rejects the request. Checks, in this order: the cloud accepts sockets at
 * present; a browser's origin is allowed or is this host (CORS does not apply to WebSockets: without this
 * check any page that a user visits could connect); the route exists; the cloud's token is valid, unless the
 * token comes in the route's first frame; the route's own `accept`.
 */
export function acceptUpgrades({
  services,
  origins,
  authorize,
  refuse,
  onError,
}: AcceptUpgradesOptions): (request: Request) => Promise<SocketRoute | Response> {
  const app = new Hono<{ Bindings: { found?: SocketRoute } }>();
  app.use(async (c, next) => {
    const rejection = refuse();
    if (rejection) return rejection;
    const origin = c.req.header("origin");
    if (origin !== undefined && !origins.includes(origin) && hostOf(origin) !== new URL(c.req.url).host) {
      return c.json({ error: `open a socket: expected an allowed origin; got ${origin.slice(0, 200)}` }, 403);
    }
    return next();
  });
  for (const route of services.flatMap(({ sockets = [] }) => sockets)) {
    if (authorize && !route.firstFrameToken) app.get(route.path, authorize);
    app.get(route.path, async (c) => {
      const rejection = await route.accept?.(c.req.raw);
      if (rejection) return rejection;
      c.env.found = route;
      return c.body(null, 204);
    });
  }
  app.notFound((c) => c.json({ error: `no such WebSocket route: ${c.req.path}` }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    onError(error, c.req.raw);
    return c.text("Internal Server Error", 500);
  });

  return async (request) => {
    const env: { found?: SocketRoute } = {};
    const response = await app.fetch(request, env);
    return env.found ?? response;
  };
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
