import { WireError } from "@sedna-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keySetFile, manifestOf, signingKey } from "../../../../testing/servers/model-publisher.ts";
import { readStoreState, writeStoreState, type StoreState } from "./store-state.ts";

const key = await signingKey("owner");
const manifest = await manifestOf({ version: 3 });
const state: StoreState = {
  name: "tiny",
  highest: 4,
  keySet: JSON.parse(new TextDecoder().decode(await keySetFile(key, { version: 1, keys: [key] }))) as never,
  versions: [{ state: "good", trials: 2, signed: { manifest, signatures: [await key.sign(manifest)] } }],
};

describe("the state of a model store", () => {
  it("round-trips, also if empty", () => {
    expect(readStoreState(writeStoreState(state))).toEqual(state);
    expect(readStoreState(writeStoreState({ highest: 0, versions: [] }))).toEqual({
      highest: 0,
      versions: [],
    });
  });

  it("is rejected with any flipped bit, any truncation, and arbitrary bytes", () => {
    const whole = writeStoreState(state);
    const isRefused = (bytes: Uint8Array): boolean => {
      try {
        readStoreState(bytes);
        return false;
      } catch (error) {
        return error instanceof WireError;
      }
    };
    for (let bit = 0; bit < 8 * whole.length; bit += 3)
      expect(isRefused(whole.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit % 8)) : byte)))).toBe(true);
    for (let length = 0; length < whole.length; length += 7)
      expect(isRefused(whole.subarray(0, length))).toBe(true);
    fc.assert(fc.property(fc.uint8Array(), (bytes) => isRefused(bytes)));
    // With a valid hash, but with foreign content.
    fc.assert(fc.property(fc.jsonValue(), (value) => isRefused(writeStoreState(value as never))));
  });
});
