import { SednaError } from "@sedna-js/core";
import type { Member, UpdateUpload } from "../federation.ts";
import type { Refusal } from "./update-checks.ts";
import type { CutReason, UploadSlot, UploadSlots } from "./upload-slots.ts";

/** Who asks for a place, and for what. */
export interface ReceiveOptions {
  readonly slots: UploadSlots;
  readonly member: Member;
  readonly upload: UpdateUpload;
  readonly onBytes: (bytes: number) => void;
}

/**
 * Takes the pieces of an upload into a place in memory. Gives the slot with the whole message, which the caller frees; `partial` when
 * it ended before; or why the slot was taken away. A connection that breaks leaves what came for the client to go on with.
 *
 * @throws {SednaError} `cloud-busy`, `cloud-timeout`; what the body throws.
 */
export async function receiveUpload({
  slots,
  member,
  upload,
  onBytes,
}: ReceiveOptions): Promise<UploadSlot | "partial" | Refusal | { readonly why: "closed" | "replaced" }> {
  const { round, total, offset, body, signal } = upload;
  const slot = await slots.take({ member, round, total, offset, signal });
  const pieces = body[Symbol.asyncIterator]();
  // Not awaited: a body that does not come does not end either.
  const leave = (): void => void pieces.return?.()?.catch(() => {});
  if (!slot) {
    leave();
    return "partial";
  }
  // A race with a promise that outlives each piece would keep all pieces in memory until the last.
  let interrupt = (): void => {};
  slot.onCut(() => interrupt());
  const next = (): Promise<IteratorResult<Uint8Array> | undefined> =>
    new Promise((resolve, reject) => {
      interrupt = () => resolve(undefined);
      pieces.next().then(resolve, reject);
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
          refused: "wrong-length",
          error: `take an update: expected ${total} bytes, as was said; got more`,
        };
      }
      slot.touch();
      onBytes(step.value.length);
    }
  } catch (error) {
    slot.park();
    throw error;
  }
  if (slot.buffer.received === total) return slot;
  slot.park();
  return "partial";
}

function cutOff(why: CutReason): { readonly why: "closed" | "replaced" } {
  if (why === "idle")
    throw new SednaError(
      "take an update: expected its pieces to keep coming; got none for too long, or too few while others waited",
      { code: "cloud-timeout", retryable: true },
    );
  return { why };
}
