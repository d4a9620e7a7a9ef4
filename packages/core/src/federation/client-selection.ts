import { describeValue } from "../errors.ts";
import { numberParameter } from "../check/number-parameter.ts";
import type { FederationClient } from "./federation-state.ts";

/** What a choice is made of. */
export interface SelectionPool {
  /** Who could take part: present and not in quarantine. */
  readonly clients: readonly FederationClient[];
  /** How many are wanted; never more than there are. */
  readonly count: number;
  /** Uniform in [0,1). The only source of chance, or a replay would choose others. */
  readonly random: () => number;
}

/** Chooses the clients of a round, at most `count`. Pure but for `random`. Chooses it too few, the round waits. */
export type ClientSelector = (round: SelectionPool) => readonly FederationClient[];

/** Choosers by name, for `select`. */
export type ClientSelectionTable = Readonly<Record<string, (param: never) => ClientSelector>>;

/** Parameters of {@link Simple}. */
export interface SimpleParameters {
  /** Clients of a round; strings count as numbers, as in Sedna's jobs. Default: as many as are wanted. */
  readonly per_round?: number | string;
}

/**
 * Who came first. Others wait until one of those leaves.
 * @throws {RangeError} when `per_round` is no whole number from 1 up.
 */
export function Simple({ per_round }: SimpleParameters = {}): ClientSelector {
  const most = per_round === undefined ? Infinity : limit("per_round", per_round);
  if (most !== Infinity && !(Number.isInteger(most) && most >= 1))
    throw new RangeError(
      `choose clients: expected a whole number from 1 up as per_round; got ${describeValue(per_round)}`,
    );
  return ({ clients, count }) => clients.slice(0, Math.min(most, count));
}

/** Sedna's name and default. Source: `SimpleClientChoose` in Sedna's `service/server/aggregation` and `algorithms/client_choose`. */
export function SimpleClientChoose({ per_round = 1 }: SimpleParameters = {}): ClientSelector {
  return Simple({ per_round });
}

/** Every client as likely as every other: what the proofs of FedAvg assume. */
export function Random(): ClientSelector {
  return ({ clients, count, random }) => drawn(clients, { count, random });
}

/** Parameters of {@link ByResources}. */
export interface ResourceParameters {
  /** Least cores; a device that does not tell its cores has none. Default 0. */
  readonly min_cores?: number | string;
  /** Least memory in MB, likewise. Default 0. */
  readonly min_memory_mb?: number | string;
  /** Only devices that say that they charge. Default false. */
  readonly charging?: boolean;
  /** Share that is drawn from all that qualify, however slow: data on slow devices counts too. Default 0.2. */
  readonly exploration?: number | string;
}

/**
 * Those that will be done first, by samples over measured speed, and some drawn of the rest. An unknown speed is taken
 * for the median of the known ones.
 *
 * @throws {RangeError} on a share outside 0..1 or a limit below 0.
 * Source of the idea: Nishio and Yonetani, "Client selection for federated learning with heterogeneous resources" (FedCS), 2019;
 * of the share drawn: Lai et al., "Oort", 2021.
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
      `choose clients: expected a number from 0 to 1 as exploration; got ${describeValue(exploration)}`,
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

/** Ways to choose clients by name, for `select`. Extend by spreading: `{ ...clientChoice, Mine: (param) => (round) => [...] }`. */
export const clientSelection = { Simple, SimpleClientChoose, Random, ByResources } as const;

/** Fisher-Yates, stopped when enough are drawn. */
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
      `choose clients: expected a number from 0 up as ${name}; got ${describeValue(value)}`,
    );
  return parsed;
}
