import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import { countLists, nestedJson, pythonFloat } from "./nested-weights.ts";
import {
  parseSednaAggregationMessage,
  writeSednaClientJoin,
  writeSednaRecvWeight,
  writeSednaSubscribe,
  writeSednaUpdateWeight,
} from "./sedna-aggregation.ts";

// Frames captured between Sedna's own server and client.
const captured = {
  subscribe: '{"type":"subscribe","client_id":"A"}',
  join: '{"type":"CLIENT_JOIN","data":"B"}',
  update:
    '{"type":"update_weight","client":"B","data":{"num_samples":3,"weights":[[4.0,5.0],[6.0]]},"job_name":"fl"}',
  recv: '{"type":"recv_weight","client":"B","data":{"total_sample":4,"round_number":1,"weights":[[3.0,4.0],[5.0]],"exit_flag":"continue"},"job_name":"fl","round_number":1}',
};
const layout = [
  { name: "w", shape: [2] },
  { name: "b", shape: [1] },
];
const parse = (frame: string | Uint8Array) => parseSednaAggregationMessage(frame, { layout });
const update = (change: object): string => JSON.stringify({ ...JSON.parse(captured.update), ...change });
const weights = (text: string): string => captured.update.replace("[[4.0,5.0],[6.0]]", text);

describe("Sedna's aggregation frames", () => {
  it("are written exactly as Sedna's server writes them", () => {
    expect(writeSednaSubscribe("A")).toBe(captured.subscribe);
    expect(writeSednaClientJoin("B")).toBe(captured.join);
    expect(
      writeSednaUpdateWeight(
        { client: "B", jobName: "fl", numSamples: 3, weights: Float32Array.of(4, 5, 6) },
        { layout },
      ),
    ).toBe(captured.update);
    expect(
      writeSednaRecvWeight(
        {
          client: "B",
          jobName: "fl",
          totalSample: 4,
          roundNumber: 1,
          weights: Float64Array.of(3, 4, 5),
          exitFlag: "continue",
        },
        { layout },
      ),
    ).toBe(captured.recv);
    expect(
      writeSednaRecvWeight(
        {
          client: undefined,
          jobName: null,
          totalSample: 4,
          roundNumber: 2,
          weights: Float64Array.of(3, 4, 5),
          exitFlag: "ok",
        },
        { layout },
      ),
    ).toBe(
      '{"type":"recv_weight","data":{"total_sample":4,"round_number":2,"weights":[[3.0,4.0],[5.0]],"exit_flag":"ok"},"job_name":null,"round_number":2}',
    );
  });

  it("are parsed from text, from bytes, and with the spaces of Python's json.dumps", () => {
    const read = {
      type: "update_weight",
      client: "B",
      numSamples: 3,
      weights: Float64Array.of(4, 5, 6),
      jobName: "fl",
    };
    expect(parse(captured.update)).toEqual(read);
    expect(parse(new TextEncoder().encode(captured.update))).toEqual(read);
    expect(
      parse(
        '{"type": "update_weight", "client": "B", "data": {"num_samples": 3, "weights": [[4, 5.0], [6e0]]}, "job_name": "fl"}',
      ),
    ).toEqual(read);
    expect(parse(captured.subscribe)).toEqual({ type: "subscribe", clientId: "A" });
    for (const anonymous of ['{"type":"subscribe"}', '{"type":"subscribe","client_id":""}'])
      expect(parse(anonymous)).toEqual({ type: "subscribe", clientId: undefined });
    expect(parse(update({ job_name: null, client: undefined }))).toEqual({
      ...read,
      client: undefined,
      jobName: null,
    });
    expect(parse('{"type":"message","data":1}')).toEqual({ type: "other", name: "message" });
    expect(parse("{}")).toEqual({ type: "other", name: "" });
  });

  it.each([
    ["a boolean for a number", weights("[[4,true],[6]]"), "expected finite numbers; got true"],
    ["a string for a number", weights('[[4,"5"],[6]]'), 'expected finite numbers; got "5"'],
    ["null for a number", weights("[[4,null],[6]]"), "expected finite numbers; got null"],
    ["C22: NaN, which Python writes", weights("[[4,NaN],[6]]"), "got NaN or Infinity among its numbers"],
    [
      "C22: -Infinity, which Python writes",
      weights("[[4,5],[-Infinity]]"),
      "got NaN or Infinity among its numbers",
    ],
    ["C22: a number beyond float64", weights("[[4,1e999],[6]]"), "expected finite numbers; got Infinity"],
    [
      "C22: a layer too short",
      weights("[[4],[6]]"),
      "data.weights[0]: expected lists of the shape [2], 2 on axis 0; got an array of 1",
    ],
    ["C22: a layer too long", weights("[[4,5],[6,7]]"), "data.weights[1]: expected lists of the shape [1]"],
    ["C22: a layer too deep", weights("[[[4],[5]],[6]]"), "expected finite numbers; got an array of 1"],
    ["C22: a layer too flat", weights("[4,[6]]"), "expected lists of the shape [2], 2 on axis 0; got 4"],
    ["C22: one layer too many", weights("[[4,5],[6],[7]]"), "expected a list of 2 layers; got an array of 3"],
    ["no weights", update({ data: { num_samples: 3 } }), "expected a list of 2 layers; got undefined"],
    [
      "C22: a number of samples that is no number",
      update({ data: { num_samples: "3", weights: [[4, 5], [6]] } }),
      'data.num_samples: expected a whole number from 1 up; got "3"',
    ],
    [
      "C22: a negative number of samples",
      update({ data: { num_samples: -1, weights: [[4, 5], [6]] } }),
      "got -1",
    ],
    ["half a sample", update({ data: { num_samples: 0.5, weights: [[4, 5], [6]] } }), "got 0.5"],
    [
      "C27: a name that reaches a prototype",
      captured.update.replace('"num_samples"', '"__proto__":{},"num_samples"'),
      'got "__proto__"',
    ],
    [
      "a client's name that is too long",
      update({ client: "x".repeat(201) }),
      "a Sedna frame.client: expected a string of 0 to 200",
    ],
    [
      "C27: a client named like a member of Object.prototype",
      '{"type":"subscribe","client_id":"toString"}',
      "client_id: expected a name that is no member of Object.prototype",
    ],
    ["a list", "[]", "expected an object"],
    ["no JSON", "{", 'expected JSON; got "{"'],
    ["bytes that are not text", Uint8Array.of(0x22, 0xff, 0x22), "expected JSON"],
  ])("refuses %s", (_, frame, message) => {
    expect(() => parse(frame)).toThrow(WireError);
    expect(() => parse(frame)).toThrow(message);
  });

  it("are accepted with many short rows, because the limit includes the lists of the layout", () => {
    const narrow = [
      { name: "w", shape: [20_000, 1, 1] },
      { name: "b", shape: [] },
      { name: "e", shape: [0, 7] },
    ];
    const weights = new Float64Array(20_001).fill(0.5);
    const frame = writeSednaUpdateWeight(
      { client: "A", jobName: "fl", numSamples: 1, weights },
      { layout: narrow },
    );
    expect(frame.split("[").length - 1).toBe(countLists(narrow));
    expect(parseSednaAggregationMessage(frame, { layout: narrow })).toMatchObject({ weights });
  });

  it("are rejected before they are parsed if they are too long", () => {
    expect(() => parseSednaAggregationMessage(captured.update, { layout, maxBytes: 50 })).toThrow(
      "expected at most 50 bytes",
    );
  });

  it("preserve the weights of any layout", () => {
    const shape = fc.array(fc.nat(3), { maxLength: 4 });
    const case_ = fc
      .array(shape, { minLength: 1, maxLength: 4 })
      .map((shapes) => shapes.map((shape, i) => ({ name: `l${i}`, shape })));
    fc.assert(
      fc.property(
        case_,
        fc.infiniteStream(fc.double({ noNaN: true, noDefaultInfinity: true })),
        (layout, numbers) => {
          const length = layout.reduce(
            (sum, { shape }) => sum + shape.reduce((product, axis) => product * axis, 1),
            0,
          );
          const weights = Float64Array.from({ length }, () => numbers.next().value);
          const read = parseSednaAggregationMessage(
            writeSednaUpdateWeight({ client: "A", jobName: "fl", numSamples: 1, weights }, { layout }),
            { layout },
          );
          expect(read).toMatchObject({ numSamples: 1, weights });
        },
      ),
    );
  });

  it("C27: with deep nesting or half a million numbers are processed in limited time", () => {
    const deep = `${"[".repeat(2_000_000)}${"]".repeat(2_000_000)}`;
    const length = 500_000;
    const wide = [{ name: "w", shape: [length / 500, 500] }];
    const frame = writeSednaUpdateWeight(
      {
        client: "A",
        jobName: "fl",
        numSamples: 1,
        weights: Float64Array.from({ length }, (_, i) => Math.sin(i)),
      },
      { layout: wide },
    );
    const measure = (call: () => void): number => {
      const before = process.cpuUsage();
      call();
      return process.cpuUsage(before).user / 1000;
    };
    expect(
      measure(() => expect(() => parse(deep)).toThrow("expected at most 10003 lists and objects")),
    ).toBeLessThan(500);
    expect(measure(() => expect(() => parse(weights(deep))).toThrow(WireError))).toBeLessThan(500);
    expect(
      measure(() =>
        expect(() => parse(`[${"{},".repeat(300_000)}1]`)).toThrow(
          "expected at most 10003 lists and objects",
        ),
      ),
    ).toBeLessThan(500);
    expect(
      measure(() =>
        expect(parseSednaAggregationMessage(frame, { layout: wide })).toMatchObject({ numSamples: 1 }),
      ),
    ).toBeLessThan(2000);
  });

  it("throw nothing but WireError for prefixes, flipped bits and any JSON", () => {
    const read = (frame: string | Uint8Array): boolean => {
      try {
        parse(frame);
        return true;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        return false;
      }
    };
    for (const frame of Object.values(captured)) {
      for (let length = 0; length < frame.length; length++) expect(read(frame.slice(0, length))).toBe(false);
      const bytes = new TextEncoder().encode(frame);
      for (let bit = 0; bit < 8 * bytes.length; bit++)
        read(bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit % 8)) : byte)));
    }
    fc.assert(fc.property(fc.json(), (json) => void read(json)));
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void read(bytes)));
    const nearly = fc.record(
      {
        type: fc.constantFrom("update_weight", "subscribe"),
        client: fc.jsonValue(),
        client_id: fc.jsonValue(),
        data: fc.oneof(
          fc.jsonValue(),
          fc.record({
            num_samples: fc.oneof(fc.constant(1), fc.jsonValue()),
            weights: fc.oneof(
              fc.jsonValue(),
              fc.constant([[1, 2], [3]]),
              fc.array(fc.array(fc.jsonValue(), { maxLength: 3 }), { maxLength: 3 }),
            ),
          }),
        ),
        job_name: fc.jsonValue(),
      },
      { requiredKeys: ["type"] },
    );
    fc.assert(
      fc.property(nearly, (message) => void read(JSON.stringify(message))),
      { numRuns: 1000 },
    );
  });
});

describe("pythonFloat()", () => {
  it.each([
    [0, "0.0"],
    [-0, "-0.0"],
    [3, "3.0"],
    [0.1, "0.1"],
    [1e-4, "0.0001"],
    [1e-5, "1e-05"],
    [1.5e-7, "1.5e-07"],
    [-1e-10, "-1e-10"],
    [1e15, "1000000000000000.0"],
    [1e16, "1e+16"],
    [1.25e22, "1.25e+22"],
    [1e100, "1e+100"],
    [5e-324, "5e-324"],
    [123456789012345680, "1.2345678901234568e+17"],
  ])("writes %d as %s", (value, text) => {
    expect(pythonFloat(value)).toBe(text);
  });

  it("rejects numbers that JSON cannot represent, and a wrong number of weights", () => {
    for (const value of [NaN, Infinity, -Infinity]) expect(() => pythonFloat(value)).toThrow(RangeError);
    expect(() => nestedJson(Float64Array.of(1), layout)).toThrow(TypeError);
  });

  const python = process.env["SEDNA_PYTHON"] ?? "python3";
  const present = spawnSync(python, ["-c", "import json"]).status === 0;
  it.skipIf(!present)(
    `writes the same text as Python${present ? "" : ` (SKIPPED: there is no program ${python}; name one by SEDNA_PYTHON)`}`,
    () => {
      const bits = new DataView(new ArrayBuffer(8));
      const values = [0, -0, 1e-4, 1e-5, 1e15, 1e16, 1e21, 1e22].concat(
        Array.from({ length: 2000 }, (_, i) => {
          bits.setUint32(0, Math.imul(i + 1, 0x9e3779b1));
          bits.setUint32(4, Math.imul(i + 7, 0x85ebca6b));
          return bits.getFloat64(0);
        }).filter(Number.isFinite),
      );
      const own = `[${values.map(pythonFloat).join(", ")}]`;
      const { stdout } = spawnSync(
        python,
        ["-c", "import json,sys; print(json.dumps(json.load(sys.stdin)))"],
        { input: own, encoding: "utf8" },
      );
      expect(stdout.trim()).toBe(own);
    },
  );
});
