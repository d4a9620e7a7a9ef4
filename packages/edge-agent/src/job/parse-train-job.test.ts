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
  it("reads a job and adds the defaults", () => {
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
      "a misspelled key",
      { ...least, federatoin: 1 },
      "federatoin: expected one of name, federation, data, features, pauses, save, state; got an unknown key: did you mean federation?",
    ],
    [
      "a misspelled nested key",
      { ...least, federation: { ...least.federation, contrl: "poll" } },
      "federation.contrl: expected one of url, name, control, enrollmentToken, audience; got an unknown key: did you mean control?",
    ],
    [
      "another control",
      { ...least, federation: { ...least.federation, control: "sockets" } },
      'federation.control: expected one of socket, poll; got "sockets": did you mean socket?',
    ],
    [
      "a missing data field",
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
      "image folders without a feature model",
      { ...least, data: { pictures: "x" } },
      "features: expected a model that computes features of images",
    ],
    [
      "a feature model for a table",
      { ...least, data: { table: "x" }, features: { model: "m" } },
      "features: expected none for data.table",
    ],
    [
      "a token that is not in the environment",
      { ...least, federation: { ...least.federation, enrollmentToken: "${NONE}" } },
      "federation.enrollmentToken: expected the environment variable NONE to be set; got none",
    ],
    [
      "an audience without an enrollment token",
      { ...least, federation: { ...least.federation, audience: "x" } },
      "federation.audience: expected enrollmentToken to be set too",
    ],
  ])("rejects %s and reports the problem", (_, value, expected) => {
    expect(problems(value)).toEqual([expect.stringContaining(`read job.yaml: ${expected}`)]);
  });

  it("does not print a token", () => {
    expect(
      problems({ ...least, federation: { ...least.federation, enrollmentToken: "two words" } }).join(),
    ).toContain("got a value that is not shown");
  });

  it("C27: returns a job or throws a WireError for any input", () => {
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
