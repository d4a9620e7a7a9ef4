import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type KeyObject,
} from "node:crypto";
import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { SednaError } from "@sedna-js/core";
import type { DeviceKey, DeviceIdentityOptions } from "./device-key.ts";

/** Opens the device key in a file; creates it on first use. See {@link DeviceKey}. */
export async function openDeviceKey({
  name = "sedna-device",
  directory,
}: DeviceIdentityOptions): Promise<DeviceKey> {
  if (directory === undefined)
    throw new TypeError("open the device's key: expected a directory for the key file; got none");
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new RangeError(
      `open the device's key: expected a name of letters, digits, ".", "_" and "-"; got ${JSON.stringify(name)}`,
    );
  const path = join(directory, `${name}.pem`);
  try {
    return keyOf((await read(path)) ?? (await create(path, directory)), path);
  } catch (cause) {
    if (cause instanceof SednaError) throw cause;
    throw new SednaError(
      `open the device's key ${path}: expected to read or create it; got ${(cause as Error).message}`,
      { code: "storage-failed", cause },
    );
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    const pem = await readFile(path, "utf8");
    const { mode } = await stat(path);
    if (process.platform !== "win32" && (mode & 0o077) !== 0)
      throw new SednaError(
        `open the device's key ${path}: expected a file that only its owner can access (mode 600); got mode ${(mode & 0o777).toString(8)}`,
        { code: "storage-failed" },
      );
    return pem;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Writes a new key to a draft file and links it to its path. If two processes start at once, one of them
 * creates the key; the file never holds a partial key.
 */
async function create(path: string, directory: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  }) as string;
  const draft = join(directory, `.draft.${randomUUID()}`);
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(pem);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path);
    return pem;
  } catch (error) {
    const theirs = (error as NodeJS.ErrnoException).code === "EEXIST" ? await read(path) : undefined;
    if (theirs === undefined) throw error;
    return theirs;
  } finally {
    await rm(draft, { force: true });
  }
}

function keyOf(pem: string, path: string): DeviceKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // Omit the cause: it may quote the key.
    throw new SednaError(`open the device's key ${path}: expected PKCS#8 in PEM; got other text`, {
      code: "storage-failed",
    });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new SednaError(
      `open the device's key ${path}: expected a P-256 key; got a key of type ${key.asymmetricKeyType}`,
      { code: "storage-failed" },
    );
  const { x, y } = createPublicKey(key).export({ format: "jwk" });
  const publicKey = Uint8Array.from([4, ...Buffer.from(x!, "base64url"), ...Buffer.from(y!, "base64url")]);
  return {
    publicKey,
    sign: async (bytes) => new Uint8Array(sign("sha256", bytes, { key, dsaEncoding: "ieee-p1363" })),
  };
}
