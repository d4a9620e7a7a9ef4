/** The ways in which a visitor can break the Worker of a model. See `carry-on.worker.ts`. */
export type WorkerFault = "lose-gpu" | "crash" | "hang";

/** The Workers in which the agent runs its models, so that the demo can break them. */
export interface AgentWorkers {
  /** Creates a Worker. Pass it to the agent as `createWorker`. */
  create(): Worker;
  /** Records that the latest Worker runs this version. */
  opened(version: number): void;
  /** Breaks the Worker that runs this version. Returns `false` if there is none. */
  breakWorker(version: number, fault: WorkerFault): boolean;
}

/** Creates a registry of the running Workers. */
export function createAgentWorkers(): AgentWorkers {
  const live = new Set<Worker>();
  const byVersion = new Map<number, Worker>();

  return {
    create() {
      const worker = new Worker(new URL("./carry-on.worker.ts", import.meta.url), { type: "module" });
      const terminate = worker.terminate.bind(worker);
      worker.terminate = () => {
        live.delete(worker);
        terminate();
      };
      live.add(worker);
      return worker;
    },
    opened(version) {
      const newest = [...live].at(-1);
      if (newest) byVersion.set(version, newest);
      for (const [known, worker] of byVersion) if (!live.has(worker)) byVersion.delete(known);
    },
    breakWorker(version, fault) {
      const worker = byVersion.get(version);
      if (!worker || !live.has(worker)) return false;
      worker.postMessage(fault satisfies WorkerFault);
      return true;
    },
  };
}
