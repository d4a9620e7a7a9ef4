import { keystream, sha256 } from "./keystream.ts";

// Selection of the neighbors that a client shares its secrets and masks with: all clients form a ring in
// random order, and the neighbors of a client are the k nearest ones. Source: Bell et al., "Secure
// Single-Server Aggregation with (Poly)Logarithmic Overhead", 2020 (eprint 2020/704).

/** Share of the clients that may drop out in a phase. */
const DROPOUTS = 0.3;
/** Share of a client's neighbors that may collude with the aggregator. */
const COLLUSION = 0.1;
/** Maximum probability that a round fails because a client lost too many of its neighbors. */
const FAILURES = 2 ** -10;
/** Maximum number of neighbors, because Shamir's shares are over bytes. */
const MOST = 254;

/** Neighbors and threshold of a secure aggregation. */
export interface NeighborhoodSize {
  /** Number of neighbors of each client. */
  readonly neighbors: number;
  /**
   * Number of shares that recover a secret; more than half of the neighbors, so that no party obtains both
   * secrets of a client.
   */
  readonly threshold: number;
}

/**
 * Returns the number of neighbors and the threshold for `clients`. With threshold `t`, `k` neighbors and `c`
 * colluding neighbors, the honest neighbors would have to give `2 * (t - c)` shares for both secrets of a
 * client, and each gives one. They are too few if `2t > k + c`, which holds if a tenth of the neighbors
 * collude. The search starts at the paper's minimum of about 2 log2 n neighbors. If 30 % of the clients
 * may drop out, that few neighbors often lose more than half, and then the whole round fails. So neighbors
 * are added until fewer than one round in a thousand fails for this reason.
 */
export function neighborhoodSize(clients: number): NeighborhoodSize {
  const all = clients - 1;
  for (let k = 2 * Math.ceil(Math.log2(clients)); k < Math.min(all, MOST); k += 2) {
    const threshold = thresholdOf(k);
    if (clients * tooFewLeft({ others: all, drawn: k, threshold }) <= FAILURES)
      return { neighbors: k, threshold };
  }
  const neighbors = all <= MOST ? all : MOST;
  return { neighbors, threshold: thresholdOf(neighbors) };
}

/**
 * Returns the neighbors of each client, in ascending order. The lists are mutual, and every party with the
 * same seed gets the same lists.
 */
export async function neighborsOf({
  clients,
  seed,
}: {
  readonly clients: number;
  readonly seed: Uint8Array<ArrayBuffer>;
}): Promise<readonly (readonly number[])[]> {
  const { neighbors } = neighborhoodSize(clients);
  if (neighbors === clients - 1)
    return Array.from({ length: clients }, (_, i) =>
      Array.from({ length: clients }, (_, j) => j).filter((j) => j !== i),
    );
  const words = await keystream(await sha256("sedna secure sum ring", seed), 2 * clients);
  const ring = Array.from({ length: clients }, (_, i) => i).toSorted(
    (a, b) => words[2 * a]! - words[2 * b]! || words[2 * a + 1]! - words[2 * b + 1]! || a - b,
  );
  const lists = Array.from({ length: clients }, (): number[] => []);
  for (const [place, client] of ring.entries()) {
    for (let step = 1; step <= neighbors / 2; step++) {
      const next = ring[(place + step) % clients]!;
      lists[client]!.push(next);
      lists[next]!.push(client);
    }
  }
  return lists.map((list) => list.toSorted((a, b) => a - b));
}

const thresholdOf = (neighbors: number): number => Math.floor((neighbors * (1 + COLLUSION)) / 2) + 1;

/** Options of {@link tooFewLeft}. */
interface TooFewLeftOptions {
  readonly others: number;
  readonly drawn: number;
  readonly threshold: number;
}

/**
 * Returns the probability that fewer than `threshold` of `drawn` neighbors are left after {@link DROPOUTS} of
 * the others drop out (hypergeometric distribution).
 */
function tooFewLeft({ others, drawn, threshold }: TooFewLeftOptions): number {
  const left = others - Math.ceil(DROPOUTS * others);
  let probability = 0;
  for (let x = Math.max(0, drawn - (others - left)); x < threshold; x++) {
    probability += Math.exp(
      logChoose(left, x) + logChoose(others - left, drawn - x) - logChoose(others, drawn),
    );
  }
  return probability;
}

function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return -Infinity;
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
  return sum;
}
