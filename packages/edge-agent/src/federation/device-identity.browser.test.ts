import { claimBytes } from "@sedna-js/core/wire";
import { openDB } from "idb";
import { describe, expect, it } from "vitest";
import { deviceIdentity } from "./device-identity.ts";

describe("deviceIdentity() in a browser", () => {
  it("stays the same across reloads and concurrent tabs, and its private key cannot be exported", async () => {
    const name = `identity-${crypto.randomUUID()}`;
    const all = await Promise.all([
      deviceIdentity({ name }),
      deviceIdentity({ name }),
      deviceIdentity({ name }),
    ]);
    expect(new Set(all.map(({ device }) => device)).size).toBe(1);
    const one = await deviceIdentity({ name });
    expect(one.device).toBe(all[0]!.device);

    const database = await openDB(name);
    const { privateKey } = (await database.get("keys", "device")) as CryptoKeyPair;
    database.close();
    expect(privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("pkcs8", privateKey)).rejects.toThrow();

    const { at, nonce, signature } = await one.prove({ audience: "digits", at: 5 });
    const bytes = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const key = await crypto.subtle.importKey(
      "raw",
      bytes(one.publicKey),
      { name: "ECDSA", namedCurve: "P-256" },
      false,
      ["verify"],
    );
    expect(
      await crypto.subtle.verify(
        { name: "ECDSA", hash: "SHA-256" },
        key,
        bytes(signature),
        claimBytes({ audience: "digits", device: one.device, nonce, at }),
      ),
    ).toBe(true);
  });
});
