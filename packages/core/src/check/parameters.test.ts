import { describe, expect, it } from "vitest";
import {
  choiceParameter,
  flagParameter,
  numberParameter,
  optionalNumber,
  parameterized,
  programParameter,
  requiredNumber,
  textParameters,
  unknownParameter,
} from "./parameters.ts";

const parameters = {
  rate: numberParameter({ fallback: 0.5, min: 0, below: 1 }),
  count: requiredNumber({ min: 1, whole: true }),
  limit: optionalNumber({ above: 0, below: Infinity }),
  flag: flagParameter(false),
  rule: choiceParameter(["median", "trimmed"]),
  random: programParameter<() => number>(),
};
const algorithm = parameterized(parameters, (values) => values);

describe("parameterized()", () => {
  it("fills in defaults and reads numbers from strings", () => {
    expect(algorithm({ count: "3" })).toEqual({ rate: 0.5, count: 3, flag: false, rule: "median" });
    const given = {
      rate: "0.25",
      count: 7,
      limit: " 1e3 ",
      flag: "true",
      rule: "trimmed",
      random: () => 0.5,
    } as const;
    expect(algorithm(given)).toEqual({ ...given, rate: 0.25, limit: 1000, flag: true });
  });

  it.each([
    [{}, TypeError, "read count: expected a number or a numeric string; got undefined"],
    [{ count: 0 }, RangeError, "read count: expected a whole number from 1 up; got 0"],
    [{ count: 1.5 }, RangeError, "read count: expected a whole number from 1 up; got 1.5"],
    [{ count: "many" }, TypeError, 'read count: expected a number or a numeric string; got "many"'],
    [{ count: 1, rate: 1 }, RangeError, "read rate: expected a number from 0, below 1; got 1"],
    [{ count: 1, rate: "nan" }, RangeError, "read rate: expected a number from 0, below 1; got NaN"],
    [{ count: 1, rate: null }, TypeError, "read rate: expected a number or a numeric string; got null"],
    [{ count: 1, limit: "inf" }, RangeError, "read limit: expected a finite number above 0; got Infinity"],
    [{ count: 1, flag: "yes" }, TypeError, 'read flag: expected true or false; got "yes"'],
    [{ count: 1, rule: "mean" }, TypeError, 'read rule: expected "median" or "trimmed"; got "mean"'],
  ])("rejects %o", (given, kind, message) => {
    expect(() => algorithm(given as never)).toThrow(kind);
    expect(() => algorithm(given as never)).toThrow(message);
  });

  it("does not read a name that an object inherits", () => {
    expect(() => parameterized({ constructor: requiredNumber() }, (values) => values)({} as never)).toThrow(
      "read constructor: expected a number",
    );
  });
});

describe("the names of the parameters", () => {
  it("that can be written as text leave out what only a program can pass", () => {
    expect(textParameters(parameters)).toEqual(["rate", "count", "limit", "flag", "rule"]);
  });

  it("do not include a misspelled one", () => {
    expect(unknownParameter(parameters, { rate: 1, cuont: 2 })).toBe("cuont");
    expect(unknownParameter(parameters, { random: 1 })).toBe("random");
    expect(unknownParameter(parameters, { toString: 1 })).toBe("toString");
    expect(unknownParameter(parameters, { rate: 1 })).toBeUndefined();
  });
});

describe("the accepted values in words", () => {
  it.each([
    [{}, "a number"],
    [{ min: 0, max: 1 }, "a number from 0 to 1"],
    [{ above: 0, max: 1e30 }, "a number above 0, up to 1e+30"],
    [{ max: 5 }, "a number up to 5"],
    [{ above: 0, below: 0.5 }, "a number above 0, below 0.5"],
  ])("of %o", (limits, text) => {
    expect(requiredNumber(limits).expected).toBe(text);
  });
});
