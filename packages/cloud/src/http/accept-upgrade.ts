import { Hono, type MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Service, SocketRoute } from "./service.ts";

/** Options of {@link acceptUpgrades}. */
export interface AcceptUpgradesOptions {
  readonly services: readonly Service[];
  readonly origins: readonly string[];
  /** Asks for the cloud's token, where it has one. */
  readonly authorize: MiddlewareHandler | undefined;
  /** What refuses a socket now, such as a shutdown. */
  readonly refuse: () => Response | undefined;
  readonly onError: (error: Error, request: Request) => void;
}

/**
 * Who may open a WebSocket, and where it leads. In this order: the cloud takes sockets now; a browser's page
 * is of an origin that may call, or of this very host (WebSockets know no CORS: without this any page that a
 * user visits could connect); the route is there; the cloud's token, unless the route's first frame brings
 * its own; the route's own view.
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
      return c.json(
        { error: `open a socket: expected an origin that may call; got ${origin.slice(0, 200)}` },
        403,
      );
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
  app.notFound((c) => c.json({ error: `no such route for a socket: ${c.req.path}` }, 404));
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
