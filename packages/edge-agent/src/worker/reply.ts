import { toPlainError } from "@sedna-js/core/errors";
import type { Reply } from "./protocol.ts";

/** Runs work for a Worker's owner and returns the reply: the value, or the error as data. */
export async function reply<T>(work: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: toPlainError(error) };
  }
}
