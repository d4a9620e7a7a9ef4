import type { EngineCheck } from "./engine-check.ts";

/** What keeps through a reload. */
export const storageChecks: readonly EngineCheck[] = [
  {
    name: "IndexedDB keeps bytes",
    lacks: async () => ("indexedDB" in globalThis ? undefined : "IndexedDB"),
    async run() {
      const settled = <T>(request: IDBRequest<T>): Promise<T> =>
        new Promise((resolve, reject) => {
          request.addEventListener("success", () => resolve(request.result));
          request.addEventListener("error", () => reject(request.error));
        });
      const opening = indexedDB.open("engines", 1);
      opening.addEventListener("upgradeneeded", () => void opening.result.createObjectStore("bytes"));
      const database = await settled(opening);
      await settled(database.transaction("bytes", "readwrite", { durability: "strict" }).objectStore("bytes").put(Uint8Array.of(1, 2, 3), "key"));
      const found = (await settled(database.transaction("bytes").objectStore("bytes").get("key"))) as Uint8Array;
      database.close();
      if ([...found].join() !== "1,2,3") throw new Error(`expected 1,2,3; got ${[...found].join()}`);
    },
  },
];
