import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import { parseHotUpdateConfig } from "./hot-update-config.ts";

/** Observed output of sedna-local-controller. */
const observed =
  '{"model_config":{"model_path":"/model-hot-update/model.pb","model_update_time":"2022-01-01 00:00:00 +0000 UTC m=+1"}}';

describe("parseHotUpdateConfig()", () => {
  it("parses the output of Sedna's local controller", () => {
    expect(parseHotUpdateConfig(observed)).toEqual({
      modelPath: "/model-hot-update/model.pb",
      modelUpdateTime: "2022-01-01 00:00:00 +0000 UTC m=+1",
    });
  });

  it.each([
    ["", "expected JSON; got 0 characters that are not"],
    ["[]", "expected an object; got an array of 0"],
    ['{"model_config":null}', "read a hot update config.model_config: expected an object; got null"],
    [
      '{"model_config":{"model_path":7,"model_update_time":"now"}}',
      "model_path: expected a string of 1 to 65536 characters, no NUL; got 7",
    ],
    [
      '{"model_config":{"model_path":"/m","model_update_time":""}}',
      "model_update_time: expected a string of 1 to 65536 characters",
    ],
    [
      '{"model_config":{"model_path":"/m\\u0000","model_update_time":"now"}}',
      "model_path: expected a string of 1 to 65536 characters, no NUL",
    ],
    ['{"__proto__":{"model_config":{}}}', "expected no reserved names"],
  ])("refuses %s", (text, message) => {
    expect(() => parseHotUpdateConfig(text)).toThrow(WireError);
    expect(() => parseHotUpdateConfig(text)).toThrow(message);
  });

  it("throws nothing but WireError for any input", () => {
    const cut = fc
      .tuple(fc.nat(observed.length), fc.nat(observed.length))
      .map(([a, b]) => observed.slice(0, a) + observed.slice(b));
    const nested = fc
      .record({
        model_config: fc.oneof(
          fc.jsonValue(),
          fc.record({ model_path: fc.jsonValue(), model_update_time: fc.jsonValue() }, { requiredKeys: [] }),
        ),
      })
      .map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), cut, nested), (text) => {
        try {
          const { modelPath, modelUpdateTime } = parseHotUpdateConfig(text);
          expect([typeof modelPath, typeof modelUpdateTime]).toEqual(["string", "string"]);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });
});
