import { checkKey, checkValue, type ByteStore } from "./byte-store.ts";
import { guarded } from "./opfs-bytes.browser.ts";

/**
 * Creates a byte store in its own cache, for browsers in which a page cannot write to the private file
 * system.
 * @throws {SednaError} `storage-failed` if the browser has no Cache API.
 */
export async function cacheBytes({ name }: { readonly name: string }): Promise<ByteStore> {
  const cache = await guarded("open the cache", () => caches.open(name));
  // The keys of a cache are URLs. No such page exists, and nothing is ever fetched from it.
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
      guarded("list the stored keys", async () =>
        (await cache.keys()).map(({ url }) => url.slice(url.lastIndexOf("/") + 1)),
      ),
  };
}
