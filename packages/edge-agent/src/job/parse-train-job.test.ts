import { WireError } from "@sedna-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTrainJob } from "./parse-train-job.ts";

const least = {
  name: "gate-7",
  federation: { url: "https://cloud.example", name: "digits" },
  data: { images: "a.idx", labels: "b.idx" },
};
const problems = (value: unknown, environment: Readonly<Record<string, string>> = {}): string[] => {
  try {
    parseTrainJob(value, { from: "job.yaml", environment });
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return (error as Error).message.split("\n");
  }
  return [];
};

describe("parseTrainJob()", () => {
  it("reads a job, with what it leaves out", () => {
    expect(parseTrainJob(least)).toEqual({
      ...least,
      federation: { ...least.federation, control: "socket" },
    });
    const full = {
      ...least,
      federation: { ...least.federation, control: "poll", enrollmentToken: "${TOKEN}", audience: "x" },
      data: { pictures: "p", classes: ["a", "b"] },
      features: { model: "m.onnx", output: "o", input: { layout: "nhwc" } },
      pauses: { battery: 0.3 },
      save: "m.safetensors",
      state: "state",
    };
    expect(parseTrainJob(full, { environment: { TOKEN: "secret" } })).toEqual({
      ...full,
      federation: { ...full.federation, enrollmentToken: "secret" },
    });
  });

  it.each<[string, unknown, string]>([
    [
      "a misspelt key",
      { ...least, federatoin: 1 },
      "federatoin: expected one of name, federation, data, features, pauses, save, state; got a key that is none: did you mean federation?",
    ],
    [
      "a misspelt key inside",
      { ...least, federation: { ...least.federation, contrl: "poll" } },
      "federation.contrl: expected one of url, name, control, enrollmentToken, audience; got a key that is none: did you mean control?",
    ],
    [
      "another control",
      { ...least, federation: { ...least.federation, control: "sockets" } },
      'federation.control: expected one of socket, poll; got "sockets": did you mean socket?',
    ],
    [
      "data that are not there",
      { name: least.name, federation: least.federation },
      "data: expected a mapping with one of pictures, images, table; got undefined",
    ],
    ["no data", { ...least, data: {} }, "data: expected one of pictures, images, table; got none"],
    [
      "misspelt data",
      { ...least, data: { picture: "x" } },
      "data: expected one of pictures, images, table; got picture: did you mean pictures?",
    ],
    [
      "two kinds of data",
      { ...least, data: { table: "x", pictures: "y" } },
      "data: expected one of pictures, images, table; got pictures and table",
    ],
    [
      "pictures without a model",
      { ...least, data: { pictures: "x" } },
      "features: expected a model that makes features of pictures",
    ],
    [
      "a model on features",
      { ...least, data: { table: "x" }, features: { model: "m" } },
      "features: expected none for data.table",
    ],
    [
      "a token that the environment lacks",
      { ...least, federation: { ...least.federation, enrollmentToken: "${NONE}" } },
      "federation.enrollmentToken: expected the environment to have NONE; it has not",
    ],
    [
      "an audience that no proof is for",
      { ...least, federation: { ...least.federation, audience: "x" } },
      "federation.audience: expected enrollmentToken beside it",
    ],
  ])("refuses %s in words", (_, value, expected) => {
    expect(problems(value)).toEqual([expect.stringContaining(`read job.yaml: ${expected}`)]);
  });

  it("shows no token", () => {
    expect(
      problems({ ...least, federation: { ...least.federation, enrollmentToken: "two words" } }).join(),
    ).toContain("got a text that is not shown");
  });

  it("C27: answers anything with a job or a WireError", () => {
    const nearly = fc.record(
      Object.fromEntries(
        Object.entries(least).map(([name, value]) => [
          name,
          fc.oneof(fc.constant<unknown>(value), fc.anything()),
        ]),
      ),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), nearly), (value) => void problems(value)),
      { numRuns: 300 },
    );
  });
});
