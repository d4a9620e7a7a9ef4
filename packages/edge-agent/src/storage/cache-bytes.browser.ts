import { checkKey, checkValue, type ByteStore } from "./byte-store.ts";
import { guarded } from "./opfs-bytes.browser.ts";

/**
 * A byte store in a cache of its own, for browsers whose private file system a page cannot write.
 * @throws {SednaError} `storage-failed` where there is none.
 */
export async function cacheBytes({ name }: { readonly name: string }): Promise<ByteStore> {
  const cache = await guarded("open the cache", () => caches.open(name));
  // A cache is asked by URL; no such page exists, and nothing is ever fetched from it.
  const place = (key: string): string => `/${name}/${checkKey(key)}`;
  return {
    get: (key) =>
      guarded(`read ${key}`, async () => {
        const found = await cache.match(place(key));
        return found ? new Uint8Array(await found.arrayBuffer()) : undefined;
      }),
    set: (key, bytes) =>
      guarded(`store ${key}`, () => cache.put(place(key), new Response(checkValue(bytes)))),
    delete: (key) => guarded(`delete ${key}`, async () => void (await cache.delete(place(key)))),
    keys: () =>
      guarded("list what is stored", async () =>
        (await cache.keys()).map(({ url }) => url.slice(url.lastIndexOf("/") + 1)),
      ),
  };
}
