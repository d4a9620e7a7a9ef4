import {
  bigModel,
  localBigModel,
  workerEstimator,
  type BigModel,
  type Detections,
  type Frame,
} from "@sedna-js/edge-agent";

/** The way to the big model, and a switch that cuts it. */
export interface CloudConnection {
  readonly bigModel: BigModel<Frame, Detections>;
  /** Where the big model runs. */
  readonly place: "server" | "page";
  /** What to tell the visitor. */
  describe(): string;
  cut: boolean;
}

/** Finds the cloud beside this page; without one, the big model runs in a second Worker. */
export async function connect(url: URL): Promise<CloudConnection> {
  const network = { cut: false };
  const place = (await isReady(url)) ? "server" : "page";
  const rejected = (): Promise<never> => Promise.reject(new TypeError("the network is cut"));

  if (place === "server") {
    const client = bigModel({
      url,
      model: "nanodet",
      breaker: { failures: 5, resetMs: 1000 },
      fetch: (input, init) => (network.cut ? rejected() : fetch(input, init)),
    });
    return Object.assign(network, {
      bigModel: client,
      place: place as CloudConnection["place"],
      describe: () =>
        network.cut
          ? "network cut"
          : client.circuit === "closed"
            ? "connected"
            : "not answering, trying again",
    });
  }

  const local = localBigModel(
    workerEstimator<Frame, Detections>(
      new Worker(new URL("./big.worker.ts", import.meta.url), { type: "module" }),
    ),
  );
  return Object.assign(network, {
    bigModel: {
      inference: (sample, options) => (network.cut ? rejected() : local.inference(sample, options)),
    } satisfies BigModel<Frame, Detections>,
    place: place as CloudConnection["place"],
    describe: () => (network.cut ? "network cut" : "none here: the big model runs in this page"),
  });
}

async function isReady(url: URL): Promise<boolean> {
  try {
    const response = await fetch(new URL("v2/health/ready", url), { signal: AbortSignal.timeout(3000) });
    // A static host may answer any path with a page.
    return response.ok && ((await response.json()) as { ready?: unknown }).ready === true;
  } catch {
    return false;
  }
}
