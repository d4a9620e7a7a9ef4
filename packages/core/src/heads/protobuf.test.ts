import { describe, expect, it } from "vitest";
import { bytes, integer, join, text } from "./protobuf.ts";

describe("protobuf", () => {
  it("writes the examples of the Protobuf guide", () => {
    expect([...join(integer(1, 150))]).toEqual([0x08, 0x96, 0x01]);
    expect([...join(text(2, "testing"))]).toEqual([0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
    expect([...join(bytes(3, integer(1, 150)))]).toEqual([0x1a, 0x03, 0x08, 0x96, 0x01]);
  });

  it("writes integers above 2^32 and field numbers above 15", () => {
    expect([...join(integer(20, 2 ** 53 - 1))]).toEqual([0xa0, 0x01, 255, 255, 255, 255, 255, 255, 255, 15]);
    expect([...join(integer(1, 0))]).toEqual([8, 0]);
  });
});
