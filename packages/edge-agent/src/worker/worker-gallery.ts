import { SednaError } from "@sedna-js/core";
import type { AsyncGallery, GalleryId, GalleryOptions } from "@sedna-js/wasm-kernels";
import { transfer } from "comlink";
import type { RemoteGallery } from "./protocol.ts";
import { workerCalls } from "./worker-calls.ts";

/**
 * Creates a gallery that calls the one that a Worker exposes with `exposeGallery`. Use it as a shard of
 * `shardedGallery`, or alone, so that matching does not block the page. The exposed gallery must be empty,
 * because its ids are tracked here. Vectors are copied once and transferred. Errors are rethrown in their own
 * classes. `dispose` terminates the Worker, which releases its memory. If the gallery cannot be opened, the
 * Worker is terminated too.
 *
 * @throws {TypeError} or {RangeError} If the options are invalid.
 * @throws {SednaError} Also from the calls: `run-failed` if the Worker failed, `disposed` after `dispose`.
 */
export async function workerGallery(worker: unknown, options: GalleryOptions): Promise<AsyncGallery> {
  const calls = workerCalls<RemoteGallery>(worker, { what: "gallery" });
  const { remote, call } = calls;
  const ids = new Set<GalleryId>();
  let disposed = false;

  const assertUsable = (action: string) => {
    if (disposed)
      throw new SednaError(`${action}: expected a gallery in use; got a disposed one`, { code: "disposed" });
  };
  const dispose = async (): Promise<void> => {
    disposed = true;
    await calls.end(() => remote.dispose());
    ids.clear();
  };

  const { dimensions, precision, size } = await call(() => remote.open(options)).catch(
    async (error: unknown) => {
      await dispose();
      throw error;
    },
  );
  if (size > 0) {
    await dispose();
    throw new RangeError(`workerGallery: expected the worker's gallery to be empty; got ${size} rows`);
  }

  return {
    dimensions,
    precision,
    get size() {
      return ids.size;
    },
    async set(given, vectors) {
      assertUsable("set");
      const added = Array.isArray(given) ? [...given] : given;
      await call(() => remote.set(handOver({ ids: added, vectors })));
      for (const id of added) ids.add(id);
    },
    has(id) {
      assertUsable("has");
      return ids.has(id);
    },
    async delete(id) {
      assertUsable("delete");
      const deleted = await call(() => remote.delete(id));
      ids.delete(id);
      return deleted;
    },
    async match(options) {
      assertUsable("match");
      return call(() => remote.match(handOver(options)));
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/**
 * Returns the message with copies of its vectors to transfer. A view would be posted with its whole buffer.
 */
function handOver<Message extends object>(message: Message): Message {
  const copies = Object.entries(message).flatMap(([name, value]) =>
    value instanceof Float32Array ? [[name, value.slice()] as const] : [],
  );
  return transfer(
    { ...message, ...Object.fromEntries(copies) },
    copies.map(([, copy]) => copy.buffer),
  );
}
