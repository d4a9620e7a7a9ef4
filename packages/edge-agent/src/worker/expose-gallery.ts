import type { GalleryOptions, GalleryPort } from "@sedna-js/wasm-kernels";
import { expose, type Endpoint } from "comlink";
import { ownerEndpoint } from "#platform/worker";
import type { RemoteGallery } from "./protocol.ts";
import { reply } from "./reply.ts";

/**
 * Inside a Worker: exposes a gallery to the page or process that owns the Worker. The owner uses it through
 * `workerGallery(worker, options)`. The factory is called once, with those options.
 */
export function exposeGallery(
  factory: (options: GalleryOptions) => GalleryPort | Promise<GalleryPort>,
): void {
  let making: Promise<GalleryPort> | undefined;
  const made = async (): Promise<GalleryPort> => {
    if (!making) throw new Error("use a gallery in a worker: expected open() first; got none");
    return making;
  };

  const remote: RemoteGallery = {
    open: (options) =>
      reply(async () => {
        making ??= (async () => factory(options))();
        const { dimensions, precision, size } = await making;
        return { dimensions, precision, size };
      }),
    set: ({ ids, vectors }) => reply(async () => (await made()).set(ids, vectors)),
    delete: (id) => reply(async () => (await made()).delete(id)),
    match: (options) => reply(async () => (await made()).match(options)),
    dispose: () => reply(async () => void (await (await making)?.dispose())),
  };
  expose(remote, ownerEndpoint() as Endpoint);
}
