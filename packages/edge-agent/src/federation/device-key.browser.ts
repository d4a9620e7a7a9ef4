import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import type { IDBPDatabase } from "idb";
import type { DeviceKey, DeviceIdentityOptions } from "./device-key.ts";

const STORE = "keys";
const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;

/** Opens the device key in IndexedDB; creates it on first use. See {@link DeviceKey}. */
export async function openDeviceKey({ name = "sedna-device" }: DeviceIdentityOptions): Promise<DeviceKey> {
  if (!globalThis.crypto?.subtle)
    throw new SednaError(
      "open the device's key: expected WebCrypto, which browsers provide only to secure pages (https or localhost); got none",
      { code: "unsupported-platform" },
    );
  try {
    const { openDB } = await import("idb");
    const database = await openDB(name, 1, { upgrade: (fresh) => void fresh.createObjectStore(STORE) });
    try {
      const kept = ((await database.get(STORE, "device")) ?? (await keep(database))) as CryptoKeyPair;
      const { privateKey, publicKey } = kept;
      return {
        publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)),
        sign: async (bytes) =>
          new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, bytes)),
      };
    } finally {
      database.close();
    }
  } catch (cause) {
    throw new SednaError(
      `open the device's key ${name}: expected to read or create it; got ${messageOf(cause)}`,
      { code: "storage-failed", cause },
    );
  }
}

/** Stores a new key in one transaction. If two tabs start at once, both use the key that was stored first. */
async function keep(database: IDBPDatabase): Promise<CryptoKeyPair> {
  const made = await crypto.subtle.generateKey(KEY, false, ["sign", "verify"]);
  const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
  const theirs = (await transaction.store.get("device")) as CryptoKeyPair | undefined;
  if (!theirs) await transaction.store.put(made, "device");
  await transaction.done;
  return theirs ?? made;
}
