import type { UpdateBuffer } from "@sedna-js/wasm-kernels";
import type { Member } from "../sessions/member.ts";
import type { Timers } from "../../timers.ts";
import { createUploadGate } from "./upload-gate.ts";
import { createUploadBuffer, type UploadBuffer } from "./upload-buffer.ts";

/** Options of {@link createUploadSlots}. */
export interface UploadSlotsOptions {
  /** Maximum number of updates in memory. */
  readonly slots: number;
  /** Maximum number of uploads that wait for a slot; more are rejected with a retry delay. */
  readonly maxWaiting: number;
  /** Allocates memory for the largest message. */
  readonly allocateBuffer: () => UpdateBuffer;
  /** Time without data after which a slot is given to the next upload, in ms. */
  readonly idleMs: number;
  readonly now: () => number;
  readonly timers: Timers;
}

/** An upload's request for a slot. */
export interface SlotRequest {
  readonly member: Member;
  readonly round: number;
  readonly total: number;
  readonly offset: number;
  readonly signal?: AbortSignal | undefined;
}

/** Memory for all upload slots, in bytes, unless that is less than {@link MIN_SLOTS} slots. */
const SLOT_BYTES = 2 ** 25;
const MIN_SLOTS = 8;
const MAX_SLOTS = 256;

/**
 * Returns the default number of slots: many for a small model, so that slow clients do not wait for each
 * other; few for a large model, because of memory.
 */
export function slotCount(maxUpdateBytes: number): number {
  return Math.min(MAX_SLOTS, Math.max(MIN_SLOTS, Math.floor(SLOT_BYTES / maxUpdateBytes)));
}

/** Minimum rate while other uploads wait, in bytes per second. */
const MIN_BYTES_PER_SECOND = 32 * 1024;
/** Maximum duration of an upload while others wait, in multiples of `idleMs`, whatever its size. */
const MAX_IDLE_PERIODS = 6;

/** Why an upload ended early. */
export type CutReason = "idle" | "closed" | "replaced";

/** A memory slot for one update, held by one upload. */
export interface UploadSlot {
  readonly buffer: UploadBuffer;
  /**
   * Why the slot was taken away: no data for too long, its round closed, or a new upload of the same client.
   */
  readonly cut: CutReason | undefined;
  /** Sets the listener for that, in place of an earlier one. */
  onCut(listener: () => void): void;
  /** Records that data arrived. */
  touch(): void;
  /** Keeps the received bytes for a while, so that the same client can resume. */
  park(): void;
  /** Gives the slot to the next upload in the queue. */
  free(): void;
}

/** The upload slots; see {@link createUploadSlots}. */
export interface UploadSlots {
  /**
   * Resolves with a slot, at once or when one is free, in the order of calls. If the upload resumes at an
   * offset, resolves with the slot of its earlier part; with `undefined` if there is nothing to resume at
   * that offset. Also resolves with `undefined` if the round closes while the upload waits.
   * @throws {SednaError} `cloud-busy` If the queue is full. Also throws the signal's reason.
   */
  take(request: SlotRequest): Promise<UploadSlot | undefined>;
  received(member: Member, round: number): number;
  /**
   * Waits for a turn without the bytes of an update, and reserves a slot for a few seconds.
   * @throws {SednaError} `cloud-busy` If too many clients wait, or it takes too long. Also throws the
   * signal's reason.
   */
  admit(member: Member, options: { readonly signal: AbortSignal | undefined }): Promise<void>;
  /** Takes the slots from uploads that are no longer wanted, and removes such uploads from the queue. */
  cutAll(
    isWanted: (request: {
      readonly client: string;
      readonly epoch: number;
      readonly round: number;
    }) => boolean,
  ): void;
  close(): void;
  readonly waiting: number;
  readonly taken: number;
}

interface Place {
  readonly request: SlotRequest;
  readonly buffer: UploadBuffer;
  readonly memory: UpdateBuffer;
  lastAt: number;
  /** Time since when the client has the slot, across its connections. */
  readonly since: number;
  /** Ends the upload that holds the slot; `undefined` while it is parked. */
  cut: ((why: CutReason) => void) | undefined;
}

interface Waiter {
  readonly request: SlotRequest;
  readonly resolve: (slot: UploadSlot | undefined) => void;
}

/**
 * Creates the memory for uploads: a fixed number of slots that are reused, with a queue. At most `slots`
 * updates are in memory, however many clients upload. A stalled upload loses its slot; a slow one loses it
 * too while others wait.
 */
export function createUploadSlots({
  slots,
  maxWaiting,
  allocateBuffer,
  idleMs,
  ...timing
}: UploadSlotsOptions): UploadSlots {
  const { now, timers } = timing;
  const places = new Map<string, Place>();
  const spare: UpdateBuffer[] = [];
  const line: Waiter[] = [];
  const gate = createUploadGate({ ...timing, capacity: 2 * slots, taken: () => places.size + line.length });
  let watch: unknown;

  const isOf = (
    { request }: Place,
    { member, round, total }: Pick<SlotRequest, "member" | "round" | "total">,
  ): boolean => request.round === round && request.total === total && request.member.epoch === member.epoch;

  const remove = (client: string, place: Place): void => {
    if (places.get(client) !== place) return;
    places.delete(client);
    gate.left();
    spare.push(place.memory);
    // More than one may start: an upload that replaces its own client's other one takes no further slot.
    while (places.size < slots) {
      const next = line.shift();
      if (!next) break;
      if (!next.request.signal?.aborted) next.resolve(hold(open(next.request)));
    }
  };

  const cut = (client: string, { place, why }: { readonly place: Place; readonly why: CutReason }): void => {
    const { cut: end } = place;
    place.cut = undefined;
    remove(client, place);
    end?.(why);
  };

  const open = (request: SlotRequest): Place => {
    const former = places.get(request.member.client);
    if (former) {
      const { cut: end } = former;
      former.cut = undefined;
      places.delete(request.member.client);
      spare.push(former.memory);
      end?.("replaced");
    }
    const memory = spare.pop() ?? allocateBuffer();
    const place: Place = {
      request,
      memory,
      buffer: createUploadBuffer({ memory: () => memory.bytes(), total: request.total }),
      lastAt: now(),
      since: former?.since ?? now(),
      cut: undefined,
    };
    places.set(request.member.client, place);
    return place;
  };

  const hold = (place: Place): UploadSlot => {
    const { client } = place.request.member;
    let cutBy: CutReason | undefined;
    let tell = (): void => {};
    place.cut = (why) => {
      cutBy = why;
      tell();
    };
    place.lastAt = now();
    startWatch();
    return {
      buffer: place.buffer,
      get cut() {
        return cutBy;
      },
      onCut: (listener) => void (tell = listener),
      touch() {
        place.lastAt = now();
      },
      park() {
        if (cutBy !== undefined) return;
        place.cut = undefined;
        place.lastAt = now();
      },
      free() {
        if (cutBy !== undefined) return;
        place.cut = undefined;
        remove(client, place);
      },
    };
  };

  const cutAll: UploadSlots["cutAll"] = (isWanted) => {
    const isOver = ({ member, round }: SlotRequest): boolean => !isWanted({ ...member, round });
    for (const waiter of line.filter(({ request }) => isOver(request))) {
      line.splice(line.indexOf(waiter), 1);
      waiter.resolve(undefined);
    }
    for (const [client, place] of places) if (isOver(place.request)) cut(client, { place, why: "closed" });
  };

  /** A few clients that send a byte now and then must not block all others for a whole round. */
  const isTooSlow = ({ since, request: { total } }: Place): boolean =>
    (line.length > 0 || gate.asking > 0) &&
    now() - since >= Math.min(MAX_IDLE_PERIODS * idleMs, idleMs + (1000 * total) / MIN_BYTES_PER_SECOND);

  // One timer for all slots: the cost of slow clients must not grow with their number.
  const startWatch = (): void => {
    if (watch !== undefined) return;
    watch = timers.set(
      () => {
        watch = undefined;
        for (const [client, place] of places)
          if (now() - place.lastAt >= idleMs || isTooSlow(place)) cut(client, { place, why: "idle" });
        if (places.size > 0) startWatch();
      },
      Math.max(1, idleMs / 4),
    );
  };

  return {
    async take(request) {
      const { member, offset, signal } = request;
      signal?.throwIfAborted();
      const here = places.get(member.client);
      if (here && isOf(here, request) && offset > 0) {
        if (here.buffer.received !== offset) return undefined;
        // The upload's previous connection is dead, and the server has not noticed yet.
        const { cut: end } = here;
        here.cut = undefined;
        end?.("replaced");
        return hold(here);
      }
      if (offset > 0) return undefined;
      const isPromised = gate.came(member.client);
      if (here || places.size < slots) return hold(open(request));
      if (!isPromised && line.length >= maxWaiting) throw gate.busy();
      return new Promise<UploadSlot | undefined>((resolve, reject) => {
        const waiter: Waiter = { request, resolve };
        line.push(waiter);
        signal?.addEventListener(
          "abort",
          () => {
            const at = line.indexOf(waiter);
            if (at >= 0) line.splice(at, 1);
            reject(signal.reason as Error);
          },
          { once: true },
        );
      });
    },
    received(member, round) {
      const place = places.get(member.client);
      return place && place.request.round === round && place.request.member.epoch === member.epoch
        ? place.buffer.received
        : 0;
    },
    admit: ({ client }, { signal }) => (places.has(client) ? Promise.resolve() : gate.admit(client, signal)),
    cutAll,
    close() {
      gate.close();
      cutAll(() => false);
      if (watch !== undefined) timers.clear(watch);
      watch = undefined;
      for (const memory of spare.splice(0)) memory.dispose();
    },
    get waiting() {
      return line.length;
    },
    get taken() {
      return places.size;
    },
  };
}
