/** What a visitor can do to the Worker of a model; see `carry-on.worker.ts`. */
export type WorkerFault = "lose-gpu" | "crash" | "hang";

/** The Workers that the agent runs its models in, so that they can be broken. */
export interface AgentWorkers {
  /** Makes one more: the agent's `createWorker`. */
  create(): Worker;
  /** Says that the Worker made last runs this version now. */
  opened(version: number): void;
  /** Breaks the Worker that runs this version; false where there is none. */
  breakWorker(version: number, fault: WorkerFault): boolean;
}

/** Keeps the Workers until they are ended. */
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
