import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseWorkerReport, type WorkerReport } from "@sedna-js/core/wire";
import { afterEach, describe, expect, it } from "vitest";
import type { ReportEvent } from "./report-events.ts";
import { createSednaReporter, type SednaReporter, type SednaReporterOptions } from "./sedna-reporter.ts";

// A server that responds like Sedna's local controller.

const open: { servers: Server[]; reporters: SednaReporter[] } = { servers: [], reporters: [] };
afterEach(async () => {
  for (const reporter of open.reporters.splice(0)) await reporter.stop({ deadlineMs: 1 });
  for (const server of open.servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});

/** Long timeout, because the machine may be busy. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 4000 });

interface Controller {
  url: string;
  readonly reports: WorkerReport[];
  readonly bodies: string[];
  /** If set, called instead of sending the normal response. */
  fault?: (request: IncomingMessage, response: ServerResponse) => void;
}

async function controller(port = 0): Promise<Controller> {
  const self: Controller = { url: "", reports: [], bodies: [] };
  const server = createServer((request, response) => {
    if (self.fault) return self.fault(request, response);
    const chunks: Buffer[] = [];
    request
      .on("data", (chunk: Buffer) => chunks.push(chunk))
      .on("end", () => {
        const body = Buffer.concat(chunks).toString();
        const report = parseWorkerReport(JSON.parse(body));
        const name = /^\/sedna\/workers\/([^/]+)\/info$/.exec(request.url!)?.[1];
        response.setHeader("content-type", "application/json");
        if (request.method !== "POST" || name !== report.name) {
          response.statusCode = 400;
          response.end(
            JSON.stringify({
              Status: 400,
              Message: `worker name(name=${name}) in the api is different from ...`,
            }),
          );
          return;
        }
        self.bodies.push(body);
        self.reports.push(report);
        response.end('{"Status":200,"Message":"OK"}');
      });
  });
  open.servers.push(server);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  self.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return self;
}

const counts = { inferenceNumber: 0, hardExampleNumber: 0, uploadCloudRatio: 0 };
function reporting(options: Partial<SednaReporterOptions> & { readonly url: string }) {
  const stats = { ...counts };
  const events: ReportEvent[] = [];
  const reporter = createSednaReporter({
    worker: "gate-1",
    ownerName: "people",
    stats: () => stats,
    periodMs: 20,
    onEvent: (event) => events.push(event),
    ...options,
  });
  open.reporters.push(reporter);
  const did = (inferenceNumber: number, hardExampleNumber: number) =>
    Object.assign(stats, {
      inferenceNumber,
      hardExampleNumber,
      uploadCloudRatio: hardExampleNumber / inferenceNumber,
    });
  return { reporter, events, did, stats };
}

describe("createSednaReporter()", () => {
  it('sends the JSON that a local controller expects, with the service and not "sedna" as owner', async () => {
    const lc = await controller();
    const { did, reporter } = reporting({
      url: `${lc.url}/`,
      periodMs: 60_000,
      wallNow: () => new Date(2026, 10, 21, 4, 4, 4).getTime(),
    });
    did(4, 2);
    await reporter.stop();
    expect(lc.bodies).toEqual([
      '{"name":"gate-1","namespace":"default","ownerName":"people","ownerKind":"jointinferenceservice","kind":"inference","results":[],"ownerInfo":{"startTime":"2026-11-21 04:04:04","updateTime":"2026-11-21 04:04:04","inferenceNumber":4,"hardExampleNumber":2,"uploadCloudRatio":0.5}}',
    ]);
  });

  it("sends totals, and nothing in a period without changes", async () => {
    const lc = await controller();
    const { did } = reporting({ url: lc.url });
    did(3, 1);
    await eventually(() => lc.reports.length).toBe(1);
    // Wait for several periods without changes.
    await new Promise((resolve) => setTimeout(resolve, 100));
    did(8, 2);
    await eventually(() => lc.reports.length).toBe(2);
    expect(lc.reports.map((report) => report.ownerInfo)).toMatchObject([
      { inferenceNumber: 3, hardExampleNumber: 1 },
      { inferenceNumber: 8, hardExampleNumber: 2, uploadCloudRatio: 0.25 },
    ]);
  });

  it("C1: keeps reporting while a local controller is down, rejects, or is another server, and sends the totals after it recovers", async () => {
    const lc = await controller();
    const { did, events } = reporting({ url: lc.url });
    const failedAs = (code: string) =>
      eventually(() =>
        events.some((event) => event.type === "report-failed" && event.error.code === code),
      ).toBe(true);
    did(1, 0);
    lc.fault = (_, response) => response.writeHead(500).end("oops");
    await failedAs("cloud-refused");
    lc.fault = (_, response) => response.end("<html>portal</html>");
    await failedAs("cloud-garbage");
    lc.fault = (request) => request.socket.destroy();
    await failedAs("cloud-unreachable");
    expect(events.some(({ type }) => type === "report-sent")).toBe(false);
    did(9, 3);
    delete lc.fault;
    await eventually(() => lc.reports.at(-1)).toMatchObject({
      ownerInfo: { inferenceNumber: 9, hardExampleNumber: 3 },
    });
  });

  it("C2: limits each request to a controller that never responds to its deadline, with one request at a time", async () => {
    const lc = await controller();
    const hung = { requests: 0 };
    lc.fault = () => void hung.requests++;
    const { did, events } = reporting({ url: lc.url, periodMs: 5, deadlineMs: 60 });
    did(1, 1);
    await eventually(() => events.length).toBeGreaterThan(1);
    for (const event of events)
      expect(event).toMatchObject({ type: "report-failed", error: { code: "cloud-timeout" } });
    expect(hung.requests).toBeLessThanOrEqual(events.length + 1);
  });

  it("reports the controller's message if the worker's name differs from the path's", async () => {
    const lc = await controller();
    const { did, events } = reporting({
      url: lc.url,
      fetch: ((input: string, init: RequestInit) => fetch(input.replace("gate-1", "gate-2"), init)) as never,
    });
    did(1, 0);
    await eventually(() => events[0]).toMatchObject({
      type: "report-failed",
      error: {
        code: "cloud-refused",
        message: expect.stringContaining("worker name(name=gate-2) in the api is different"),
      },
    });
  });

  it("reports a deployed model at once, and after failures only the latest deployment", async () => {
    const lc = await controller();
    lc.fault = (request) => request.socket.destroy();
    const { reporter, events } = reporting({ url: lc.url, periodMs: 200 });
    reporter.deployed({ status: "completed" });
    await eventually(() => events[0]).toMatchObject({ type: "report-failed", kind: "deploy" });
    reporter.deployed({ status: "failed" });
    await eventually(() => events.length).toBeGreaterThan(1);
    delete lc.fault;
    await eventually(() => lc.bodies).toEqual([
      '{"name":"gate-1","namespace":"default","ownerName":"people","ownerKind":"jointinferenceservice","kind":"deploy","status":"failed"}',
    ]);
    await reporter.stop();
    expect(lc.bodies).toHaveLength(1);
  });

  it("C25: stop() sends the last totals or gives up at its deadline, and sends nothing afterwards", async () => {
    const lc = await controller();
    const { did, reporter } = reporting({ url: lc.url, periodMs: 60_000 });
    did(5, 5);
    await Promise.all([reporter.stop(), reporter.stop()]);
    expect(lc.reports).toHaveLength(1);
    did(6, 5);
    reporter.deployed({ status: "completed" });
    await reporter.stop();
    expect(lc.reports).toHaveLength(1);

    lc.fault = () => {};
    const late = reporting({ url: lc.url });
    late.did(1, 1);
    await new Promise((resolve) => setTimeout(resolve, 40));
    const started = performance.now();
    await late.reporter.stop({ deadlineMs: 50 });
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("continues if its listener or the statistics throw", async () => {
    const lc = await controller();
    const state = { broken: true };
    const { events } = reporting({
      url: lc.url,
      onEvent: () => {
        throw new Error("listener");
      },
      stats: () => {
        if (state.broken) throw new Error("stats");
        return { ...counts, inferenceNumber: 1 };
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    state.broken = false;
    await eventually(() => lc.reports.length).toBe(1);
    expect(events).toEqual([]);
  });

  it("rejects at once options that a local controller would silently drop", () => {
    const make = (options: Partial<SednaReporterOptions> & { readonly url?: string }) => () =>
      reporting({ url: "http://127.0.0.1:9100", ...options });
    expect(make({ ownerKind: "JointInferenceService" })).toThrow(
      'expected ownerKind as one of jointinferenceservice, federatedlearningjob, incrementallearningjob, lifelonglearningjob; got "JointInferenceService"',
    );
    for (const worker of ["", "..", "a/b"])
      expect(make({ worker })).toThrow("report to Sedna: expected worker of letters");
    expect(make({ periodMs: 0 })).toThrow(RangeError);
    expect(make({ url: "controller" })).toThrow(TypeError);
  });
});
