import { createHash } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimBytes, isDeviceId } from "@sedna-js/core/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deviceIdentity } from "./device-identity.ts";

const at = { folder: "", made: 0 };
beforeAll(async () => {
  at.folder = await mkdtemp(join(tmpdir(), "sedna-identity-"));
});
afterAll(() => rm(at.folder, { recursive: true }));
const fresh = (): string => join(at.folder, String(at.made++));

describe("deviceIdentity() in Node", () => {
  it("stays the same after a restart, in a file that only its owner can read", async () => {
    const directory = fresh();
    const first = await deviceIdentity({ directory });
    const second = await deviceIdentity({ directory });
    expect(second).toMatchObject({ device: first.device, publicKey: first.publicKey });
    expect(isDeviceId(first.device)).toBe(true);
    expect(first.device).toBe(
      createHash("sha256").update(Buffer.from(first.publicKey, "base64")).digest("hex").slice(0, 32),
    );
    expect(await readdir(directory)).toEqual(["sedna-device.pem"]);
    expect((await stat(join(directory, "sedna-device.pem"))).mode & 0o777).toBe(0o600);
    expect((await deviceIdentity({ directory: fresh() })).device).not.toBe(first.device);
  });

  it("signs claims that WebCrypto verifies, each with its own nonce", async () => {
    const one = await deviceIdentity({ directory: fresh() });
    const [first, second] = [
      await one.prove({ audience: "digits", at: 5 }),
      await one.prove({ audience: "digits", at: 5 }),
    ];
    expect(first.nonce).not.toBe(second.nonce);
    const key = await crypto.subtle.importKey(
      "raw",
      Buffer.from(one.publicKey, "base64"),
      { name: "ECDSA", namedCurve: "P-256" },
      false,
      ["verify"],
    );
    const verify = (audience: string) =>
      crypto.subtle.verify(
        { name: "ECDSA", hash: "SHA-256" },
        key,
        Buffer.from(first.signature, "base64"),
        claimBytes({ audience, device: one.device, nonce: first.nonce, at: 5 }),
      );
    expect([await verify("digits"), await verify("others")]).toEqual([true, false]);
  });

  it("creates one key if several calls start at once", async () => {
    const directory = fresh();
    const all = await Promise.all(Array.from({ length: 5 }, () => deviceIdentity({ directory })));
    expect(new Set(all.map(({ device }) => device)).size).toBe(1);
    expect(await readdir(directory)).toEqual(["sedna-device.pem"]);
  });

  it("rejects a key that others can read, an invalid key, and a missing directory, without quoting the key", async () => {
    const directory = fresh();
    await deviceIdentity({ directory });
    const path = join(directory, "sedna-device.pem");
    const pem = await readFile(path, "utf8");
    await chmod(path, 0o644);
    await expect(deviceIdentity({ directory })).rejects.toMatchObject({
      code: "storage-failed",
      message: expect.stringContaining("mode 644"),
    });
    await chmod(path, 0o600);
    await writeFile(path, pem.slice(0, 90));
    const error = await deviceIdentity({ directory }).catch((cause: Error) => cause);
    expect(error).toMatchObject({ code: "storage-failed" });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(pem.slice(30, 60));
    await expect(deviceIdentity({})).rejects.toThrow(TypeError);
    await expect(deviceIdentity({ directory, name: "../elsewhere" })).rejects.toThrow(RangeError);
  });
});
