// `npm start`: starts the demo page and its big-model service.
import { fileURLToPath } from "node:url";
import { nanodet } from "@sedna-js/core";
import {
  bigModelService,
  createCloud,
  onnxFile,
  sampleService,
  serve,
  sharpDecoder,
  type Serving,
} from "@sedna-js/cloud";
import { demoRooms } from "./digit-rooms.ts";
import { latestSamples } from "./latest-samples.ts";
import { build, preview, type PreviewServer } from "vite";

/** The running demo. */
export interface Demo {
  readonly url: string;
  /** The big-model service behind the page's `/cloud` path. */
  readonly cloud: Serving;
  close(): Promise<void>;
}

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const configFile = root("demo/vite.config.ts");

/** Starts the demo's cloud: the big-model service, a store for the latest samples, and the federations. */
export async function startCloud({ port = 0 }: { readonly port?: number } = {}): Promise<Serving> {
  const estimator = onnxFile({
    path: root("models/nanodet-g-416/model.onnx"),
    task: nanodet({ labels: [0], threshold: 0.45 }),
    threads: 1,
  });
  const bigModel = bigModelService({ name: "nanodet", estimator, decodeImage: sharpDecoder(), maxQueue: 16 });
  const cloud = createCloud({ services: [bigModel, sampleService({ store: latestSamples() }), demoRooms()] });
  await cloud.start();
  return serve(cloud, { port });
}

/** Builds the page. */
export async function buildDemo(): Promise<void> {
  await build({ configFile, logLevel: "warn" });
}

/** Serves the page, with the cloud behind its `/cloud` path. Port 0 selects a free port. */
export async function startDemo({
  port = 0,
  cloud,
}: {
  readonly port?: number;
  readonly cloud: Serving;
}): Promise<Demo> {
  const proxy = {
    "/cloud": { target: cloud.url, ws: true, rewrite: (path: string) => path.replace(/^\/cloud/, "") },
  };
  const server: PreviewServer = await preview({
    configFile,
    logLevel: "silent",
    preview: { port, host: "127.0.0.1", strictPort: port !== 0, proxy },
  });
  const address = server.httpServer.address();
  if (address === null || typeof address === "string")
    throw new Error("serve the demo: expected a port; got none");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    cloud,
    async close() {
      await server.close();
      await cloud.close();
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log("Building the page ...");
  await buildDemo();
  const cloud = await startCloud();
  const demo = await startDemo({ port: Number(process.env["PORT"] ?? 4173), cloud });
  console.log(`\nThe demo is at ${demo.url}\nIts big model is at ${cloud.url}\nCtrl+C ends both.`);
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => void demo.close().then(() => process.exit(0)));
}
