import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import { canonicalJson } from "./canonical-json.ts";

const text = (value: unknown): string => new TextDecoder().decode(canonicalJson(value));
const double = (hex: string): number =>
  new DataView(Uint8Array.from(hex.match(/../g)!, (byte) => Number.parseInt(byte, 16)).buffer).getFloat64(0);

describe("canonicalJson()", () => {
  // RFC 8785, appendix B.
  it.each([
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"],
  ])("writes the number %s as %s", (hex, expected) => {
    expect(text(double(hex))).toBe(expected);
  });

  it("writes the example of RFC 8785, 3.2.2", () => {
    const given = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    ) as unknown;
    expect(text(given)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it("sorts names by their UTF-16 code units, as in RFC 8785, 3.2.3", () => {
    const given = JSON.parse(
      String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
    ) as Record<string, string>;
    expect(Object.values(JSON.parse(text(given)) as object)).toHaveLength(7);
    expect(text(given).match(/(?<=:")[^"]+/g)).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each([
    ["NaN", NaN],
    ["Infinity", -Infinity],
    ["undefined", undefined],
    ["a hole", Array(2)],
    ["an undefined member", { a: undefined }],
    ["a function", () => 1],
    ["a big integer", 1n],
    ["a date", new Date(0)],
    ["a typed array", new Uint8Array(2)],
    ["a lone high surrogate", "\ud83d"],
    ["a lone low surrogate", ["\ude00x"]],
    ["a lone surrogate in a name", { "\ud83dx": 1 }],
    ["a cycle", cycle],
  ])("refuses %s", (_, value) => {
    expect(() => canonicalJson(value)).toThrow(WireError);
  });

  it("writes equal values as the same text, which parses back to the value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const once = text(value);
        const parsed = JSON.parse(once) as unknown;
        expect(text(parsed)).toBe(once);
        expect(parsed).toEqual(JSON.parse(JSON.stringify(value)));
        if (typeof value === "object" && value && !Array.isArray(value))
          expect(text(Object.fromEntries(Object.entries(value).toReversed()))).toBe(once);
      }),
    );
  });
});
