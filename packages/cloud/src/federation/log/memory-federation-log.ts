import { SednaError } from "@sedna-js/core";
import { checkBlobName, type FederationLog, type FederationRecord } from "./federation-log.ts";

/**
 * Creates a log in memory, which is lost with the process: for simulations, and for federations that may
 * begin from scratch.
 */
export function memoryFederationLog(): FederationLog {
  const records: FederationRecord[] = [];
  const blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  const state = { isOpen: false };
  return {
    async open() {
      if (state.isOpen)
        throw new SednaError("open the log: expected a closed log; got an open one", {
          code: "storage-failed",
        });
      state.isOpen = true;
    },
    async read() {
      return structuredClone(records);
    },
    async append(more) {
      records.push(...structuredClone(more));
    },
    async replace(others) {
      records.splice(0, records.length, ...structuredClone(others));
    },
    async putBlob(name, bytes) {
      checkBlobName(name);
      blobs.set(name, Uint8Array.from(bytes));
    },
    async getBlob(name) {
      const bytes = blobs.get(name);
      return bytes && bytes.slice();
    },
    async blobs() {
      return [...blobs.keys()];
    },
    async deleteBlob(name) {
      blobs.delete(name);
    },
    async close() {
      state.isOpen = false;
    },
  };
}
