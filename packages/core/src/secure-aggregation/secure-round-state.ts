import type { SednaError } from "../errors.ts";
import type { SecurePhase } from "../wire/federation.ts";
import type {
  SecureKeys,
  SecureSettings,
  SecureSharesResponse,
  SecureUnmaskResponse,
} from "../wire/secure-aggregation.ts";
import type { RingVector } from "./keystream.ts";
import { neighborhoodSize } from "./neighborhood.ts";
import type { SecureMean } from "./quantize.ts";

/** The result of a secure aggregation. */
export interface SecureAggregate extends SecureMean {
  /** Clients whose updates are in the aggregate. */
  readonly clients: readonly string[];
}

/** A client whose keys are part of the round. Its position in the list of keys is its index. */
export interface Participant {
  readonly client: string;
  readonly keys: SecureKeys;
  readonly neighbors: readonly number[];
  shares?: SecureSharesResponse;
  unmask?: SecureUnmaskResponse;
}

/** What a round does not change. */
export interface SecureRoundSetup {
  readonly federation: string;
  readonly round: number;
  readonly settings: SecureSettings;
  /** Clients that are invited to take part. */
  readonly clients: readonly string[];
  /** Maximum duration of each phase. Clients train in phase `masked`. */
  readonly deadlines: Readonly<Record<SecurePhase, number>>;
}

/**
 * State of one secure aggregation. Invariants: `participants` is set once, at the end of phase `keys`;
 * `present` are those of them whose shares were accepted, set at the end of phase `shares`; `survivors` are
 * those of `present` whose vector is in `sum`.
 */
export interface SecureRoundState {
  phase: SecurePhase | "done" | "abandoned";
  /** Time at which the phase ends, even if clients are missing. */
  deadlineAt: number;
  readonly keys: Map<string, SecureKeys>;
  participants: readonly Participant[];
  present: readonly number[];
  readonly survivors: Set<number>;
  /** Sum of the accepted vectors. Updates in it are masked until phase `unmask` has ended. */
  readonly sum: RingVector;
  transcript?: Uint8Array<ArrayBuffer>;
  result?: SecureAggregate;
  error?: SednaError;
  suspect?: string;
}

/** Returns the state at the start of a round. */
export function initialSecureRound({ settings, deadlines }: SecureRoundSetup, now: number): SecureRoundState {
  return {
    phase: "keys",
    deadlineAt: now + deadlines.keys,
    keys: new Map(),
    participants: [],
    present: [],
    survivors: new Set(),
    sum: new Uint32Array(settings.length + 1),
  };
}

/** Returns the index of a participant, or -1. */
export function indexOf({ participants }: SecureRoundState, client: string): number {
  return participants.findIndex((one) => one.client === client);
}

/** Returns the number of neighbors that are needed to unmask a client. */
export function thresholdOf({ participants }: SecureRoundState): number {
  return neighborhoodSize(participants.length).threshold;
}

/** Returns the clients that the phase waits for. */
export function awaitedClients(state: SecureRoundState, clients: readonly string[]): readonly string[] {
  const { participants, survivors } = state;
  switch (state.phase) {
    case "keys":
      return clients.filter((client) => !state.keys.has(client));
    case "shares":
      return participants.filter(({ shares }) => !shares).map(({ client }) => client);
    case "masked":
      return state.present.filter((i) => !survivors.has(i)).map((i) => participants[i]!.client);
    case "unmask":
      return [...survivors].filter((i) => !participants[i]!.unmask).map((i) => participants[i]!.client);
    default:
      return [];
  }
}

/** Returns the message of the phase to a client that has to respond. */
export function messageTo(client: string, state: SecureRoundState, settings: SecureSettings): unknown {
  const { participants } = state;
  const index = indexOf(state, client);
  switch (state.phase) {
    case "keys":
      return { settings };
    case "shares":
      return { settings, clients: participants.map((one) => one.keys) };
    case "masked":
      return {
        present: state.present,
        boxes: participants[index]!.neighbors.filter((from) => state.present.includes(from)).map((from) => ({
          from,
          box: participants[from]!.shares!.boxes.find(({ to }) => to === index)!.box,
        })),
      };
    case "unmask":
      return {
        survivors: state.present.filter((i) => state.survivors.has(i)),
        dropped: state.present.filter((i) => !state.survivors.has(i)),
      };
    default:
      return undefined;
  }
}
