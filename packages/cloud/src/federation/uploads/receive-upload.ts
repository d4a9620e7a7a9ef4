import { SednaError } from "@sedna-js/core";
import type { UpdateUpload } from "../federation.ts";
import type { Member } from "../sessions/member.ts";
import { rejection, type Rejection } from "../updates/validate-update.ts";
import type { CutReason, UploadSlot, UploadSlots } from "./upload-slots.ts";

/** Options of {@link receiveUpload}. */
export interface ReceiveOptions {
  readonly slots: UploadSlots;
  readonly member: Member;
  readonly upload: UpdateUpload;
  readonly onBytes: (bytes: number) => void;
}

/**
 * How an upload ended: with the whole message in a slot, before its end, without its slot, or by a rejection.
 */
export type ReceivedUpload =
  | { readonly kind: "whole"; readonly slot: UploadSlot }
  | { readonly kind: "partial" }
  | { readonly kind: "cut"; readonly reason: "closed" | "replaced" }
  | { readonly kind: "rejected"; readonly rejection: Rejection };

/**
 * Receives the chunks of an upload into a slot. The caller frees the slot of a whole message. A connection
 * that breaks leaves its bytes in the slot, so that the client can resume.
 *
 * @throws {SednaError} `cloud-busy` If too many uploads wait for a slot.
 * @throws {SednaError} `cloud-timeout` If the data stops coming, or comes too slowly while others wait.
 * @throws Whatever the body throws.
 */
export async function receiveUpload({
  slots,
  member,
  upload,
  onBytes,
}: ReceiveOptions): Promise<ReceivedUpload> {
  const { round, total, offset, body, signal } = upload;
  const slot = await slots.take({ member, round, total, offset, signal });
  const chunks = body[Symbol.asyncIterator]();
  // Not awaited: a body that stalls does not return either.
  const leave = (): void => void chunks.return?.()?.catch(() => {});
  if (!slot) {
    leave();
    return { kind: "partial" };
  }
  // Racing each chunk against one long-lived promise would keep every chunk in memory until the end.
  let interrupt = (): void => {};
  slot.onCut(() => interrupt());
  const next = (): Promise<IteratorResult<Uint8Array> | undefined> =>
    new Promise((resolve, reject) => {
      interrupt = () => resolve(undefined);
      chunks.next().then(resolve, reject);
    });
  try {
    for (;;) {
      const step = slot.cut === undefined ? await next() : undefined;
      if (slot.cut !== undefined) {
        leave();
        return cutOff(slot.cut);
      }
      if (!step || step.done) break;
      if (!slot.buffer.write(step.value)) {
        leave();
        slot.free();
        return {
          kind: "rejected",
          rejection: rejection("wrong-length", { expected: `${total} bytes, as announced`, got: "more" }),
        };
      }
      slot.touch();
      onBytes(step.value.length);
    }
  } catch (error) {
    slot.park();
    throw error;
  }
  if (slot.buffer.received === total) return { kind: "whole", slot };
  slot.park();
  return { kind: "partial" };
}

function cutOff(reason: CutReason): ReceivedUpload {
  if (reason !== "idle") return { kind: "cut", reason };
  throw new SednaError(
    "accept an update: expected its chunks to keep coming; got none for too long, or too few while others waited",
    { code: "cloud-timeout", retryable: true },
  );
}
