import { describeValue } from "../errors.ts";
import { numberParameter } from "../check/number-parameter.ts";
import type { FederationClient } from "./federation-state.ts";

/** Input of a {@link ClientSelector}. */
export interface SelectionPool {
  /** Clients that can take part: present, with samples, and not in quarantine. */
  readonly clients: readonly FederationClient[];
  /** Number of clients to select; at most `clients.length`. */
  readonly count: number;
  /** Uniform in [0, 1). Must be the only source of randomness, so that a replay selects the same clients. */
  readonly random: () => number;
}

/**
 * Selects at most `count` clients for a round. Must be pure except for `random`. If it selects too few
 * clients, the round waits.
 */
export type ClientSelector = (round: SelectionPool) => readonly FederationClient[];

/** Client selectors by name, for `select`. */
export type ClientSelectionTable = Readonly<Record<string, (param: never) => ClientSelector>>;

/** Parameters of {@link Simple}. */
export interface SimpleParameters {
  /** Clients per round; a numeric string is accepted, as in Sedna's jobs. Default: the requested count. */
  readonly per_round?: number | string;
}

/**
 * Returns a selector of the clients that joined first. Other clients wait until one of those leaves.
 *
 * @throws {RangeError} If `per_round` is not a positive integer.
 */
export function Simple({ per_round }: SimpleParameters = {}): ClientSelector {
  const most = per_round === undefined ? Infinity : limit("per_round", per_round);
  if (most !== Infinity && !(Number.isInteger(most) && most >= 1))
    throw new RangeError(
      `select clients: expected a whole number from 1 up as per_round; got ${describeValue(per_round)}`,
    );
  return ({ clients, count }) => clients.slice(0, Math.min(most, count));
}

/**
 * Returns {@link Simple} under Sedna's name and with Sedna's default of one client. Source:
 * `SimpleClientChoose` in Sedna's `service/server/aggregation` and `algorithms/client_choose`.
 */
export function SimpleClientChoose({ per_round = 1 }: SimpleParameters = {}): ClientSelector {
  return Simple({ per_round });
}

/** Returns a selector that draws clients uniformly, as the convergence proofs of FedAvg assume. */
export function Random(): ClientSelector {
  return ({ clients, count, random }) => drawn(clients, { count, random });
}

/** Parameters of {@link ByResources}. */
export interface ResourceParameters {
  /** Minimum number of cores; a device that does not report its cores counts as having none. Default 0. */
  readonly min_cores?: number | string;
  /** Minimum memory, in MB; a device that does not report its memory counts as having none. Default 0. */
  readonly min_memory_mb?: number | string;
  /** Whether to select only devices that report that they are charging. Default false. */
  readonly charging?: boolean;
  /**
   * Share of the selection that is drawn from the remaining qualified clients, however slow, so that data on
   * slow devices is used too; 0 to 1. Default 0.2.
   */
  readonly exploration?: number | string;
}

/**
 * Returns a selector of the clients that finish first, estimated as samples divided by measured speed, plus a
 * random share of the rest. An unknown speed counts as the median of the known speeds.
 *
 * @throws {RangeError} If `exploration` is outside 0..1, or a minimum is negative or not finite.
 *
 * Source of the idea: Nishio and Yonetani, "Client selection for federated learning with heterogeneous
 * resources" (FedCS), 2019. Source of the random share: Lai et al., "Oort", 2021.
 */
export function ByResources({
  min_cores = 0,
  min_memory_mb = 0,
  charging = false,
  exploration = 0.2,
}: ResourceParameters = {}): ClientSelector {
  const leastCores = limit("min_cores", min_cores);
  const leastMemory = limit("min_memory_mb", min_memory_mb);
  const share = limit("exploration", exploration);
  if (share > 1)
    throw new RangeError(
      `select clients: expected a number from 0 to 1 as exploration; got ${describeValue(exploration)}`,
    );

  return ({ clients, count, random }) => {
    const able = clients.filter(
      ({ resources: { cores = 0, memoryMb = 0, charging: charges } }) =>
        cores >= leastCores && memoryMb >= leastMemory && (!charging || charges === true),
    );
    const speeds = able
      .flatMap(({ resources: { speed } }) => (speed !== undefined && speed > 0 ? [speed] : []))
      .toSorted((a, b) => a - b);
    const median = speeds[speeds.length >> 1] ?? 1;
    const time = ({ numSamples, resources: { speed } }: FederationClient): number =>
      numSamples / (speed !== undefined && speed > 0 ? speed : median);
    const quick = able.toSorted((a, b) => time(a) - time(b));
    const sure = Math.min(able.length, Math.round(count * (1 - share)));
    return [...quick.slice(0, sure), ...drawn(quick.slice(sure), { count: count - sure, random })];
  };
}

/**
 * Client selectors by name, for `select`. Extend the table by spreading: `{ ...clientSelection, Mine: (param)
 * => (round) => [...] }`.
 */
export const clientSelection = { Simple, SimpleClientChoose, Random, ByResources } as const;

/** Draws `count` clients by a partial Fisher-Yates shuffle. */
function drawn(
  clients: readonly FederationClient[],
  { count, random }: { readonly count: number; readonly random: () => number },
): FederationClient[] {
  const pool = [...clients];
  const most = Math.min(count, pool.length);
  for (let i = 0; i < most; i++) {
    const other = i + Math.floor(random() * (pool.length - i));
    [pool[i], pool[other]] = [pool[other]!, pool[i]!];
  }
  return pool.slice(0, most);
}

function limit(name: string, value: unknown): number {
  const parsed = numberParameter(name, value);
  if (!(parsed >= 0 && parsed < Infinity))
    throw new RangeError(
      `select clients: expected a number from 0 up as ${name}; got ${describeValue(value)}`,
    );
  return parsed;
}
