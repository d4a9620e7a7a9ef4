import {
  bigModel,
  localBigModel,
  workerEstimator,
  type BigModel,
  type Detections,
  type Frame,
} from "@sedna-js/edge-agent";

/** The connection to the big model, with a switch that cuts it. */
export interface CloudConnection {
  readonly bigModel: BigModel<Frame, Detections>;
  /** The location of the big model. */
  readonly place: "server" | "page";
  /** Returns the state for display. */
  describe(): string;
  cut: boolean;
}

/** Connects to the cloud beside this page. Without one, runs the big model in a second Worker. */
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
        network.cut ? "network cut" : client.circuit === "closed" ? "connected" : "not responding, retrying",
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
    // A static host may respond to any path with a page.
    return response.ok && ((await response.json()) as { ready?: unknown }).ready === true;
  } catch {
    return false;
  }
}
