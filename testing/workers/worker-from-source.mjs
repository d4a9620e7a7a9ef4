// Starts a Node Worker from TypeScript source, because tsx's hooks do not reach Workers by themselves.
import { workerData } from "node:worker_threads";
import { register } from "tsx/esm/api";

register();
await import(workerData);
