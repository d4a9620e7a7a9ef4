import {
  claimBytes,
  deviceId,
  type DeviceClaim,
  type EnrollmentRequest,
  type SessionRequest,
} from "@sedna-js/core/wire";

// Test devices with real keys.

/** A device with a key pair. */
export interface TestDevice {
  readonly device: string;
  readonly publicKey: string;
  /** Signs a claim. Omitted fields get valid values. */
  prove(
    claim: { readonly audience: string } & Partial<DeviceClaim>,
  ): Promise<NonNullable<SessionRequest["proof"]>>;
  enrollment(options: { readonly audience: string; readonly at?: number }): Promise<EnrollmentRequest>;
  request(options: { readonly audience: string } & Partial<DeviceClaim>): Promise<SessionRequest>;
}

const base64 = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString("base64");

/** Creates a device. */
export async function testDevice(now: () => number = Date.now): Promise<TestDevice> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, [
    "sign",
    "verify",
  ]);
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  const device = deviceId(new Uint8Array(await crypto.subtle.digest("SHA-256", raw)));
  const one: TestDevice = {
    device,
    publicKey: base64(raw),
    async prove({ audience, at = now(), nonce = crypto.randomUUID(), device: claimed = device }) {
      const signature = await crypto.subtle.sign(
        { name: "ECDSA", hash: "SHA-256" },
        pair.privateKey,
        claimBytes({ audience, device: claimed, at, nonce }),
      );
      return { at, nonce, signature: base64(signature) };
    },
    enrollment: async (options) => ({
      protocol: 1,
      publicKey: one.publicKey,
      label: "a test",
      proof: await one.prove(options),
    }),
    request: async (options) => ({
      protocol: 1,
      device: options.device ?? device,
      numSamples: 1,
      proof: await one.prove(options),
    }),
  };
  return one;
}
