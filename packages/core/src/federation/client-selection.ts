import { flagParameter, numberParameter, optionalNumber, parameterized } from "../check/parameters.ts";
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

/** Returns a selector of the clients that joined first. Other clients wait until one of those leaves. */
export const Simple = parameterized(
  {
    /** Clients per round. */
    per_round: optionalNumber({ min: 1, whole: true, absent: "the requested number" }),
  },
  ({ per_round }) => firstJoined(per_round),
);

/**
 * Returns {@link Simple} under Sedna's name and with Sedna's default of one client. Source:
 * `SimpleClientChoose` in Sedna's `service/server/aggregation` and `algorithms/client_choose`.
 */
export const SimpleClientChoose = parameterized(
  {
    /** Clients per round. */
    per_round: numberParameter({ fallback: 1, min: 1, whole: true }),
  },
  ({ per_round }) => firstJoined(per_round),
);

function firstJoined(most = Infinity): ClientSelector {
  return ({ clients, count }) => clients.slice(0, Math.min(most, count));
}

/** Returns a selector that draws clients uniformly, as the convergence proofs of FedAvg assume. */
export const Random = parameterized(
  {},
  (): ClientSelector =>
    ({ clients, count, random }) =>
      drawn(clients, { count, random }),
);

const resourceParameters = {
  /** Minimum number of cores. A device that does not report its cores counts as having none. */
  min_cores: numberParameter({ fallback: 0, min: 0, below: Infinity }),
  /** Minimum memory, in MB. A device that does not report its memory counts as having none. */
  min_memory_mb: numberParameter({ fallback: 0, min: 0, below: Infinity }),
  /** Select only devices that report that they are charging. */
  charging: flagParameter(false),
  /**
   * Share of the selection that is drawn from the remaining qualified clients, however slow, so that data on
   * slow devices is used too.
   */
  exploration: numberParameter({ fallback: 0.2, min: 0, max: 1 }),
};

/**
 * Returns a selector of the clients that finish first, estimated as samples divided by measured speed, plus a
 * random share of the rest. An unknown speed counts as the median of the known speeds.
 *
 * Source of the idea: Nishio and Yonetani, "Client selection for federated learning with heterogeneous
 * resources" (FedCS), 2019. Source of the random share: Lai et al., "Oort", 2021.
 */
export const ByResources = parameterized(resourceParameters, (parameters): ClientSelector => {
  const { min_cores, min_memory_mb, charging, exploration } = parameters;
  return ({ clients, count, random }) => {
    const able = clients.filter(
      ({ resources: { cores = 0, memoryMb = 0, charging: charges } }) =>
        cores >= min_cores && memoryMb >= min_memory_mb && (!charging || charges === true),
    );
    const speeds = able
      .flatMap(({ resources: { speed } }) => (speed !== undefined && speed > 0 ? [speed] : []))
      .toSorted((a, b) => a - b);
    const median = speeds[speeds.length >> 1] ?? 1;
    const time = ({ numSamples, resources: { speed } }: FederationClient): number =>
      numSamples / (speed !== undefined && speed > 0 ? speed : median);
    const quick = able.toSorted((a, b) => time(a) - time(b));
    const sure = Math.min(able.length, Math.round(count * (1 - exploration)));
    return [...quick.slice(0, sure), ...drawn(quick.slice(sure), { count: count - sure, random })];
  };
});

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
