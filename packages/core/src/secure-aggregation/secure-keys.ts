import { canonicalJson } from "../wire/canonical-json.ts";
import type { SecureKeys, SecureSettings } from "../wire/secure-aggregation.ts";
import type { KeyAgreement } from "./key-agreement.ts";
import { sha256 } from "./keystream.ts";

/** Encodes bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Decodes base64 that a parser has checked. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Options of {@link sharedKey}. */
interface SharedKeyOptions {
  readonly theirs: string;
  readonly use: "mask" | "seal";
  readonly transcript: Uint8Array;
}

/** Derives the key that two clients share for one use in one round. `theirs` is a public key in base64. */
export async function sharedKey(
  mine: KeyAgreement,
  { theirs, use, transcript }: SharedKeyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(`sedna secure sum ${use}`, transcript, await mine.secretWith(fromBase64(theirs)));
}

/** Options of {@link transcriptOf}. */
interface TranscriptOfOptions {
  readonly federation: string;
  readonly round: number;
  readonly settings: SecureSettings;
  readonly clients: readonly SecureKeys[];
}

/**
 * Returns the digest that all clients of a round must agree on: the settings and all keys. A client that was
 * shown other keys cannot decrypt the shares of other clients, and they cannot decrypt its shares.
 */
export async function transcriptOf(round: TranscriptOfOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { federation, settings, clients } = round;
  return sha256(
    "sedna secure sum transcript",
    canonicalJson({
      federation,
      round: round.round,
      settings,
      clients: clients.map(({ maskKey, sealKey }) => [maskKey, sealKey]),
    }),
  );
}

/** Returns the bytes that a device signs for its keys. */
export function keysToSign({
  federation,
  round,
  maskKey,
  sealKey,
}: { readonly federation: string; readonly round: number } & Pick<
  SecureKeys,
  "maskKey" | "sealKey"
>): Uint8Array<ArrayBuffer> {
  return canonicalJson({ audience: "sedna secure sum", federation, round, maskKey, sealKey });
}

/** Encrypts a message from one client to another. A key encrypts one message for each pair and direction. */
export async function seal(
  plain: Uint8Array<ArrayBuffer>,
  { key, from, to }: Seal,
): Promise<Uint8Array<ArrayBuffer>> {
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce(from, to) }, aes, plain));
}

/**
 * Decrypts the message in a box.
 *
 * @throws {DOMException} If the box was encrypted with another key or for another client, or was altered.
 */
export async function unseal(
  box: Uint8Array<ArrayBuffer>,
  { key, from, to }: Seal,
): Promise<Uint8Array<ArrayBuffer>> {
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce(from, to) }, aes, box));
}

/** Key, sender and receiver of an encrypted message. */
export interface Seal {
  readonly key: Uint8Array<ArrayBuffer>;
  readonly from: number;
  readonly to: number;
}

function nonce(from: number, to: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, from);
  view.setUint32(4, to);
  return bytes;
}
