import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import {
  parseWorkerReport,
  workerReportPath,
  writeWorkerReport,
  type WorkerReport,
} from "./worker-report.ts";

// Reports captured from Sedna's own library.
const captured = {
  inference:
    '{"name":"edgeworker-ab12c","namespace":"default","ownerName":"sedna","ownerKind":"jointinferenceservice","kind":"inference","results":[],"ownerInfo":{"startTime":"2026-11-21 04:04:04","updateTime":"2026-11-21 04:04:06","inferenceNumber":4,"hardExampleNumber":2,"uploadCloudRatio":0.5}}',
  federated:
    '{"name":"trainworker-1","namespace":"default","ownerName":"surface-defect","ownerKind":"default","kind":"train","status":"running","results":[{"format":"pkl","url":"/fl1/model_finetune_.pkl","metrics":{"loss":[0.5]}}],"ownerInfo":{"currentRound":1,"sampleCount":30,"startTime":"2026-11-21 04:05:33","updateTime":"2026-11-21 04:05:33"}}',
  train:
    '{"name":"train-worker-x1","namespace":"default","ownerName":"helmet-detection-demo","ownerKind":"incrementallearningjob","kind":"train","status":"completed","results":[{"format":"pb","url":"/il/models/model.pb","metrics":{"loss":0.1}}]}',
  lifelong:
    '{"name":"w","namespace":"default","ownerName":"l","ownerKind":"lifelonglearningjob","kind":"train","status":"completed","results":[{"format":"pkl","url":"/ll/out/index.pkl","metrics":null}]}',
  deploy:
    '{"name":"infer-worker-x1","namespace":"default","ownerName":"helmet-detection-demo","ownerKind":"incrementallearningjob","kind":"deploy","status":"completed"}',
};

describe("a worker's report", () => {
  it.each(Object.entries(captured))("of Sedna is parsed, and written to the same bytes: %s", (_, text) => {
    expect(writeWorkerReport(parseWorkerReport(JSON.parse(text)))).toBe(text);
  });

  it("has local times, in whole seconds", () => {
    const report: WorkerReport = {
      name: "gate",
      namespace: "default",
      ownerName: "people",
      ownerKind: "jointinferenceservice",
      kind: "inference",
      ownerInfo: {
        startTime: new Date(2026, 0, 2, 3, 4, 5, 999).getTime(),
        updateTime: new Date(2026, 10, 21, 23, 59, 59).getTime(),
        inferenceNumber: 0,
        hardExampleNumber: 0,
        uploadCloudRatio: 0,
      },
    };
    expect(writeWorkerReport(report)).toContain(
      '"startTime":"2026-01-02 03:04:05","updateTime":"2026-11-21 23:59:59"',
    );
    expect(parseWorkerReport(JSON.parse(writeWorkerReport(report)))).toEqual({
      ...report,
      ownerInfo: { ...report.ownerInfo, startTime: new Date(2026, 0, 2, 3, 4, 5).getTime() },
    });
  });

  it.each([
    [null, "expected an object; got null"],
    [
      { ...JSON.parse(captured.deploy), status: "done" },
      'read report.status: expected one of running, completed, failed; got "done"',
    ],
    [
      { ...JSON.parse(captured.deploy), name: "" },
      'read report.name: expected a string of at least 1 characters, of any characters; got ""',
    ],
    [
      { ...JSON.parse(captured.deploy), results: {} },
      "read report.results: expected a list of 0 or more; got an object",
    ],
    [
      { ...JSON.parse(captured.inference), ownerInfo: { startTime: "2026-13-01 00:00:00" } },
      "read report.ownerInfo.startTime: expected a time such as",
    ],
    [
      {
        ...JSON.parse(captured.inference),
        ownerInfo: { ...JSON.parse(captured.inference).ownerInfo, uploadCloudRatio: 1.5 },
      },
      "expected a number from 0 to 1; got 1.5",
    ],
    [
      {
        ...JSON.parse(captured.inference),
        ownerInfo: { ...JSON.parse(captured.inference).ownerInfo, inferenceNumber: 1.5 },
      },
      "expected a whole number from 0 up; got 1.5",
    ],
  ])("%# is rejected with the expected value if it is invalid", (body, message) => {
    expect(() => parseWorkerReport(body)).toThrow(message);
  });

  it("is parsed or rejected with a WireError for any input", () => {
    const field = (name: string) =>
      fc.oneof(
        fc.anything(),
        fc.constantFrom(
          ...Object.values(captured).map((text) => (JSON.parse(text) as Record<string, unknown>)[name]),
        ),
      );
    const nearly = fc.record(
      Object.fromEntries(
        ["name", "namespace", "ownerName", "ownerKind", "kind", "status", "results", "ownerInfo"].map(
          (name) => [name, field(name)],
        ),
      ),
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), nearly), (body) => {
        try {
          const report = parseWorkerReport(body);
          expect(["inference", "train", "eval", "deploy"]).toContain(report.kind);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("is sent to a path that no name can escape", () => {
    expect(workerReportPath("gate-1")).toBe("/sedna/workers/gate-1/info");
    expect(workerReportPath("../x?y")).toBe("/sedna/workers/..%2Fx%3Fy/info");
  });
});
