import { SednaError } from "@sedna-js/core";
import {
  parseUpdateReceipt,
  parseUpdateRejection,
  UPDATE_TYPE,
  type UpdateReceipt,
  type UpdateRejection,
} from "@sedna-js/core/wire";
import { readAnswer, type FederationHttp } from "./federation-http.ts";

/** Options of {@link createUpdateUploader}. */
export interface UpdateUploaderOptions {
  readonly http: FederationHttp;
  /** Maximum size of a request's body, in bytes. */
  readonly chunkBytes: number;
  /** Timeout of a request and its response, in ms, in addition to the time for transferring its bytes. */
  readonly deadlineMs: number;
  /** Minimum upload rate, in bytes per second; a slower connection counts as broken. */
  readonly slowest: number;
}

/** Uploads an update. See {@link createUpdateUploader}. */
export type UpdateUploader = (
  message: Uint8Array,
  options: { readonly round: number; readonly signal: AbortSignal },
) => Promise<UpdateReceipt | UpdateRejection>;

const ACTION = "send the update";
const MAX_REPLY_BYTES = 65_536;

/**
 * Creates a function that uploads a message whole or in chunks. If an upload of the same message was started
 * before, it resumes from the offset that the aggregator reports.
 */
export function createUpdateUploader({
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
      action: "read the update's upload offset",
      method: "HEAD",
      path,
      deadlineMs,
      maxReplyBytes: 0,
      signal,
    });
    const offset = status < 300 ? Number(headers.get("upload-offset") ?? 0) : 0;
    // If the aggregator has the whole message, only its response was lost: send the message again to get it.
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
        // The aggregator has another part than expected: resume from its offset.
        offset = await offsetOf(message, { path, signal });
        continue;
      }
      const receipt = readAnswer(reply, { action: ACTION, read: parseUpdateReceipt });
      if (receipt.accepted) return receipt;
      if (end === total)
        throw new SednaError(
          `${ACTION}: expected the aggregator to accept all ${total} bytes; got a request for more`,
          { code: "cloud-unreachable", retryable: true },
        );
      offset = end;
    }
  };
}
