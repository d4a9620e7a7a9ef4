import { sha256 as createSha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { ByteStore } from "./byte-store.ts";
import { cacheBytes } from "./cache-bytes.browser.ts";
import { fallbackBytes } from "./fallback-bytes.ts";
import { memoryBytes } from "./memory-bytes.ts";
import { opfsBytes } from "./opfs-bytes.browser.ts";
import type { ByteStoreOptions, Sha256 } from "./platform.ts";

export function sha256(): Sha256 {
  // WebCrypto cannot hash incrementally, and a model may arrive in chunks.
  const hash = createSha256.create();
  return { update: (bytes) => void hash.update(bytes), hex: () => bytesToHex(hash.digest()) };
}

export async function openByteStore({ name, onDegraded }: ByteStoreOptions): Promise<ByteStore> {
  const memory = memoryBytes();
  const onDisk = await opfsBytes({ name })
    .catch(() => cacheBytes({ name }))
    .catch((error: unknown) => {
      onDegraded?.({ key: name, error });
      return undefined;
    });
  return onDisk ? fallbackBytes({ first: onDisk, memory, ...(onDegraded && { onDegraded }) }) : memory;
}

export async function keepStorage(): Promise<boolean> {
  return (await navigator.storage?.persist?.().catch(() => false)) ?? false;
}
