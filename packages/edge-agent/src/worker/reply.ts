import { toPlainError } from "@sedna-js/core/errors";
import type { Reply } from "./protocol.ts";

/** What to reply of some work done for a Worker's owner: its value, or its error as data. */
export async function reply<T>(work: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: toPlainError(error) };
  }
}
