import { describe, expect, it } from "vitest";
import { federationArgs, federationOptions } from "./aggregate-options.ts";
import { createFederation } from "../federation/create-federation.ts";
import { UsageError } from "@sedna-js/core/check";

const defaults = Object.fromEntries(
  Object.entries(federationArgs).flatMap(([name, arg]) => ("default" in arg ? [[name, arg.default]] : [])),
);
const read = (given: Record<string, string>) => federationOptions({ ...defaults, ...given });
const head = "softmax:64x10";

describe("federationOptions()", () => {
  it("reads the model from --head or --layers", () => {
    expect(read({ head })).toMatchObject({
      name: "federation",
      model: { head: { kind: "softmax", features: 64, classes: 10 } },
    });
    expect(read({ head: "mlp:64x32x10" })).toMatchObject({
      model: { head: { kind: "mlp", features: 64, hidden: 32, classes: 10 } },
    });
    expect(read({ layers: "conv/kernel:3x3x1x8, b:8,scale:" })).toMatchObject({
      model: {
        layout: [
          { name: "conv/kernel", shape: [3, 3, 1, 8] },
          { name: "b", shape: [8] },
          { name: "scale", shape: [] },
        ],
      },
    });
  });

  it("reads the name of the rule behind NormClipping, and rejects an unknown one", () => {
    const clipping = (rule: string): Record<string, string> => ({
      head,
      aggregation: "NormClipping",
      param: `clipNorm=2,rule=${rule}`,
    });
    expect(read(clipping("Median")).aggregator.minClients).toBe(3);
    expect(() => read(clipping("Meridian"))).toThrow(UsageError);
    expect(() => read(clipping("Meridian"))).toThrow("--param: select an algorithm: expected one of FedAvg,");
  });

  it("reads the rounds, the encoding, and the training, and createFederation() accepts the result", () => {
    const options = read({
      head,
      aggregation: "FedAvgM",
      param: "momentum=0.5, learningRate=0.1",
      rounds: "0",
      participants: "5",
      "deadline-s": "0.5",
      "min-fraction": "0.4",
      "over-select": "2",
      encoding: "topk",
      "topk-share": "0.1",
      "clip-norm": "3",
      epochs: "4",
      "batch-size": "8",
      "learning-rate": "0.02",
      optimizer: "adam",
      proximal: "0.1",
    });
    const { plan } = createFederation(options);
    expect(options.rounds).toEqual({
      numRounds: 0,
      participants: 5,
      deadlineMs: 500,
      selectionMs: 10_000,
      minFraction: 0.4,
      overSelect: 2,
    });
    expect(plan).toMatchObject({
      name: "federation",
      aggregation: "FedAvgM",
      encoding: "topk",
      topkShare: 0.1,
      clipNorm: 3,
      numRounds: 0,
      participants: 5,
      training: { epochs: 4, batchSize: 8, optimizer: { kind: "adam", learningRate: 0.02 }, proximal: 0.1 },
    });
    expect(createFederation(read({ head, buffer: "4", participants: "10" })).plan.mode).toBe("buffered");
    expect(read({ head, buffer: "4", participants: "10" }).rounds).toMatchObject({
      buffered: { bufferSize: 4, maxStaleness: 10, concurrency: 13 },
    });
    expect(createFederation(read({ head })).plan.training).toEqual({
      epochs: 1,
      batchSize: 32,
      optimizer: { kind: "sgd", learningRate: 0.1 },
    });
  });

  it.each<[Record<string, string>, string]>([
    [{}, "expected --head or --layers; got neither"],
    [{ head, layers: "w:2" }, "expected --head or --layers; got both"],
    [
      { head: "softmax:4" },
      "--head: expected softmax:FEATURESxCLASSES or mlp:FEATURESxHIDDENxCLASSES with sizes from 1 to 16777215; got softmax:4",
    ],
    [{ head: "mlp:4x0x2" }, "--head: expected softmax"],
    [{ head: "softmax:99999999x2" }, "--head: expected softmax"],
    [{ head: "" }, "got nothing"],
    [{ layers: "w" }, '--layers: expected NAME:SHAPE such as w:10x64, separated by commas; got "w"'],
    [{ layers: "" }, "got nothing"],
    [{ head, aggregation: "FedSum" }, "--aggregation: expected one of FedAvg, "],
    [{ head, aggregation: "FLTrust" }, "--aggregation: expected one of FedAvg, "],
    [{ head, buffer: "0" }, "--buffer: expected a whole number from 1 up; got 0"],
    [{ head, aggregation: "__proto__" }, "--aggregation: expected one of FedAvg, "],
    [
      { head, aggregation: "FedAvgM", param: "momentum=2" },
      "--param: read momentum: expected a number from 0, below 1; got 2",
    ],
    [{ head, param: "momentum" }, '--param: expected key=value; got "momentum"'],
    [{ head, param: "clipnorm=3" }, "--param: expected clipNorm, the parameters of FedAvg; got clipnorm"],
    [
      { head, aggregation: "Median", param: "trim=1" },
      "--param: expected none, the parameters of Median; got trim",
    ],
    [{ head, param: "a=1,a=2" }, "--param: expected each key once; got a twice"],
    [{ head, rounds: "-1" }, "--rounds: expected a whole number from 0 up; got -1"],
    [{ head, rounds: "1.5" }, "--rounds: expected a whole number from 0 up; got 1.5"],
    [{ head, participants: "0" }, "--participants: expected a whole number from 1 up; got 0"],
    [{ head, "min-fraction": "0" }, "--min-fraction: expected a number from"],
    [{ head, "deadline-s": "" }, "--deadline-s: expected a number from 0.001 to 2000000; got nothing"],
    [
      { head, "deadline-s": "Infinity" },
      "--deadline-s: expected a number from 0.001 to 2000000; got Infinity",
    ],
    [{ head, encoding: "json" }, "--encoding: expected one of f32, f16, int8, topk; got json"],
    [{ head, optimizer: "lbfgs" }, "--optimizer: expected sgd or adam; got lbfgs"],
    [{ head, name: "../etc" }, "--name: expected letters and digits"],
    [{ head, "learning-rate": "0" }, "--learning-rate: expected a number from"],
  ])("throws a UsageError with the reason for %j", (given, reason) => {
    expect(() => read(given)).toThrow(UsageError);
    expect(() => read(given)).toThrow(reason);
  });

  it("returns options that createFederation() rejects if they are incompatible", () => {
    expect(() => createFederation(read({ head, aggregation: "MultiKrum", param: "f=1" }))).toThrow(
      "participants",
    );
    expect(() =>
      createFederation(read({ head, aggregation: "Median", participants: "50", buffer: "2" })),
    ).toThrow("at least 3 updates in the buffer for Median; got 2");
    expect(
      createFederation(read({ head, aggregation: "Median", participants: "2", buffer: "3" })).plan.mode,
    ).toBe("buffered");
    expect(() => createFederation(read({ layers: "w:2,w:3" }))).toThrow("each name once");
  });
});
