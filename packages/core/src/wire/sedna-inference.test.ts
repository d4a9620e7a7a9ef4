import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import { parseDetections } from "./detections.ts";
import { parsePredictRequest, parsePredictResponse, SednaValidationError } from "./sedna-inference.ts";

describe("Sedna's predict", () => {
  it("accepts data and an optional callback, and ignores other keys", () => {
    expect(parsePredictRequest({ data: [[1, 2]], post_process: "x", anything: 1 })).toEqual({
      data: [[1, 2]],
    });
    expect(parsePredictRequest({ data: [], callback: null })).toEqual({ data: [], callback: null });
  });

  it.each([
    [
      { data: "notalist" },
      { loc: ["body", "data"], msg: "value is not a valid list", type: "type_error.list" },
    ],
    [{}, { loc: ["body", "data"], msg: "field required", type: "value_error.missing" }],
    [
      { data: null },
      { loc: ["body", "data"], msg: "none is not an allowed value", type: "type_error.none.not_allowed" },
    ],
    [[], { loc: ["body"], msg: "value is not a valid dict", type: "type_error.dict" }],
    [
      { data: [], callback: 3 },
      { loc: ["body", "callback"], msg: "str type expected", type: "type_error.str" },
    ],
  ])("rejects %j in pydantic's words", (body, detail) => {
    try {
      parsePredictRequest(body);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SednaValidationError);
      expect((error as SednaValidationError).detail).toEqual([detail]);
    }
  });

  it("returns a value or throws WireError for any input", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        for (const parse of [
          parsePredictRequest,
          parsePredictResponse,
          (rows: unknown) => parseDetections(rows as never),
        ]) {
          if (parse !== parsePredictRequest && parse !== parsePredictResponse && !Array.isArray(value))
            continue;
          try {
            parse(value);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
