/** Under which a host leaves a request's body as it has it. */
const HOST_BODY = Symbol.for("sedna-js.host-body");

type Pieces = AsyncIterable<Uint8Array>;

/** A request whose body its host can give without the detour of a web stream; the request itself. */
export function withHostBody<R extends Request>(request: R, body: () => Pieces): R {
  return Object.defineProperty(request, HOST_BODY, { value: body });
}

/**
 * A request's body, piece by piece. Nothing is read before the first is asked for, and no more than is asked
 * for: a web stream of Node's makes no such promise, it takes in all that comes.
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
    // Left early: what still comes is nobody's.
    void reader.cancel().catch(() => {});
  }
}
