import { createHash } from "node:crypto";
import type { ByteStore } from "./byte-store.ts";
import { fileBytes } from "./file-bytes.node.ts";
import type { ByteStoreOptions, Sha256 } from "./platform.ts";

export function sha256(): Sha256 {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}

export async function openByteStore({ directory }: ByteStoreOptions): Promise<ByteStore> {
  return fileBytes({ directory });
}

export async function keepStorage(): Promise<boolean> {
  return true;
}
