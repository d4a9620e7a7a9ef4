/** Key under which a host attaches its own reader of a request's body. */
const HOST_BODY = Symbol.for("sedna-js.host-body");

type Pieces = AsyncIterable<Uint8Array>;

/**
 * Attaches a host's own reader of the body to a request, which avoids a web stream. Returns the same request.
 */
export function withHostBody<R extends Request>(request: R, body: () => Pieces): R {
  return Object.defineProperty(request, HOST_BODY, { value: body });
}

/**
 * Yields a request's body in chunks. Reads nothing before the first chunk is requested, and no more than is
 * requested. A web stream in Node does not guarantee this: it reads everything that arrives.
 */
export function bodyChunks(request: Request): Pieces {
  const own = (request as { readonly [HOST_BODY]?: () => Pieces })[HOST_BODY];
  return own ? own() : webChunks(request);
}

async function* webChunks(request: Request): AsyncGenerator<Uint8Array> {
  const reader = request.body?.getReader();
  if (!reader) return;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value!;
  } finally {
    // The consumer stopped early: discard the rest of the body.
    void reader.cancel().catch(() => {});
  }
}
