import { SednaError } from "@sedna-js/core";
import {
  parseUpdateReceipt,
  parseUpdateRejection,
  UPDATE_TYPE,
  type UpdateReceipt,
  type UpdateRejection,
} from "@sedna-js/core/wire";
import { readAnswer, type FederationHttp } from "./federation-http.ts";

/** Options of {@link updateUploader}. */
export interface UpdateUploaderOptions {
  readonly http: FederationHttp;
  /** Bytes of a request's body at most. */
  readonly chunkBytes: number;
  /** For a request and its reply, in ms, beside the time that its bytes take. */
  readonly deadlineMs: number;
  /** Slower than so many bytes a second, the line counts as broken. */
  readonly slowest: number;
}

/** Sends updates; see {@link updateUploader}. */
export type UpdateUploader = (
  message: Uint8Array,
  options: { readonly round: number; readonly signal: AbortSignal },
) => Promise<UpdateReceipt | UpdateRejection>;

const ACTION = "send the update";
const MAX_REPLY_BYTES = 65_536;

/** Sends a message whole or in parts; of one that was begun before, first asks how much of it is there. */
export function updateUploader({
  http,
  chunkBytes,
  deadlineMs,
  slowest,
}: UpdateUploaderOptions): UpdateUploader {
  const begun = new WeakSet<Uint8Array>();

  const offsetOf = async (
    message: Uint8Array,
    { path, signal }: { readonly path: string; readonly signal: AbortSignal },
  ): Promise<number> => {
    const { headers, status } = await http.ask({
      action: "ask how much of the update is there",
      method: "HEAD",
      path,
      deadlineMs,
      maxReplyBytes: 0,
      signal,
    });
    const offset = status < 300 ? Number(headers.get("upload-offset") ?? 0) : 0;
    // What is there as a whole was answered; the answer was lost, and the same message asks for it again.
    return Number.isSafeInteger(offset) && offset > 0 && offset < message.length ? offset : 0;
  };

  return async (message, { round, signal }) => {
    const path = `/rounds/${round}/update`;
    const total = message.length;
    let offset = begun.has(message) ? await offsetOf(message, { path, signal }) : 0;
    begun.add(message);
    for (let asked = 0; ;) {
      const end = Math.min(total, offset + chunkBytes);
      const body = message.subarray(offset, end) as Uint8Array<ArrayBuffer>;
      const headers = { "content-type": UPDATE_TYPE, "content-range": `bytes ${offset}-${end - 1}/${total}` };
      const reply = await http.ask({
        action: ACTION,
        method: "PUT",
        path,
        headers,
        body,
        deadlineMs: deadlineMs + (1000 * body.length) / slowest,
        maxReplyBytes: MAX_REPLY_BYTES,
        signal,
      });
      if (reply.status >= 300) {
        const there = reply.headers.get("upload-offset");
        if (there === null || asked++ > 0)
          return readAnswer(reply, { action: ACTION, read: parseUpdateRejection });
        // It has another part than we thought.
        offset = await offsetOf(message, { path, signal });
        continue;
      }
      const receipt = readAnswer(reply, { action: ACTION, read: parseUpdateReceipt });
      if (receipt.accepted) return receipt;
      if (end === total)
        throw new SednaError(
          `${ACTION}: expected all ${total} bytes to come; the aggregator waits for more`,
          { code: "cloud-unreachable", retryable: true },
        );
      offset = end;
    }
  };
}
