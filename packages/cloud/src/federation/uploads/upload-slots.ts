import type { UpdateBuffer } from "@sedna-js/wasm-kernels";
import type { Member } from "../sessions/member.ts";
import type { Timers } from "../../timers.ts";
import { createUploadGate } from "./upload-gate.ts";
import { createUploadBuffer, type UploadBuffer } from "./upload-buffer.ts";

/** Options of {@link createUploadSlots}. */
export interface UploadSlotsOptions {
  /** Updates in memory at once: the credits. */
  readonly slots: number;
  /** Uploads that may wait in line for a slot; more are told to come back. */
  readonly maxWaiting: number;
  /** Makes a place in memory for the largest message. */
  readonly allocateBuffer: () => UpdateBuffer;
  /** A slot that got nothing for so long is given to the next, in ms. */
  readonly idleMs: number;
  readonly now: () => number;
  readonly timers: Timers;
}

/** What an upload says of itself when it asks for a slot. */
export interface SlotRequest {
  readonly member: Member;
  readonly round: number;
  readonly total: number;
  readonly offset: number;
  readonly signal?: AbortSignal | undefined;
}

/** Memory for uploads, unless so few would fit that clients wait for each other. */
const SLOT_BYTES = 2 ** 25;
const MIN_SLOTS = 8;
const MAX_SLOTS = 256;

/**
 * The default number of slots: many slow clients of a small model must not wait for each other; of a large
 * one few fit into memory.
 */
export function slotCount(maxUpdateBytes: number): number {
  return Math.min(MAX_SLOTS, Math.max(MIN_SLOTS, Math.floor(SLOT_BYTES / maxUpdateBytes)));
}

/** Who is slower while others wait has had its turn, in bytes a second. */
const MIN_BYTES_PER_SECOND = 32 * 1024;
/** How often `idleMs` an upload may take while others wait, however long it is. */
const MAX_IDLE_PERIODS = 6;

/** Why an upload is over before its end. */
export type CutReason = "idle" | "closed" | "replaced";

/** A place in memory for one update, held by one upload. */
export interface UploadSlot {
  readonly buffer: UploadBuffer;
  /**
   * Why the slot was taken away: nothing came for too long, its round closed, or the same client came anew.
   */
  readonly cut: CutReason | undefined;
  /** Told when that happens; the last one that was set. */
  onCut(listener: () => void): void;
  /** Something came. */
  touch(): void;
  /** Keeps what is here for the same client to go on with, for a while. */
  park(): void;
  /** Gives the place to the next in line. */
  free(): void;
}

/** The slots; see {@link createUploadSlots}. */
export interface UploadSlots {
  /**
   * A slot, at once or when one is free, in the order of asking. Where this member's upload of the round is
   * here already, that one's. Undefined when nothing is here to go on with at that offset, or its round has
   * closed.
   * @throws {SednaError} `cloud-busy` when the line is full; the signal's reason.
   */
  take(request: SlotRequest): Promise<UploadSlot | undefined>;
  received(member: Member, round: number): number;
  /**
   * Waits for its turn, without an update that would have to wait with it, and promises a place for a few
   * seconds.
   * @throws {SednaError} `cloud-busy` when too many wait, or it took too long; the signal's reason.
   */
  admit(member: Member, options: { readonly signal: AbortSignal | undefined }): Promise<void>;
  /** Takes away the slots of uploads that nobody waits for any more, and sends those in line away. */
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
  /** Since when the client has it, whatever connections it came by. */
  readonly since: number;
  /** Ends the upload that holds it; undefined while it is parked. */
  cut: ((why: CutReason) => void) | undefined;
}

interface Waiter {
  readonly request: SlotRequest;
  readonly resolve: (slot: UploadSlot | undefined) => void;
}

/**
 * Memory for updates on their way in: a fixed number of places that are used again and again, and a line
 * before them. However many clients come, no more than `slots` updates are in memory, and who stalls loses
 * the place; so does who drips while others wait.
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
    for (let next = line.shift(); next; next = line.shift()) {
      if (next.request.signal?.aborted) continue;
      // The same client may have asked twice while it waited: what is here by now is the other's.
      next.resolve(hold(open(next.request)));
      break;
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

  /** A few that send a byte now and then must not keep all others out for a whole round. */
  const isTooSlow = ({ since, request: { total } }: Place): boolean =>
    (line.length > 0 || gate.asking > 0) &&
    now() - since >= Math.min(MAX_IDLE_PERIODS * idleMs, idleMs + (1000 * total) / MIN_BYTES_PER_SECOND);

  // One timer for all: what a slow client costs must not grow with the clients.
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
        // The connection that it came on is dead, and we are the last to know.
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
