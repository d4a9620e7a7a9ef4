import { keystream, sha256 } from "./keystream.ts";

// Whom a client shares its secrets and masks with: a ring of all clients in random order, each with the k nearest. Source:
// Bell et al., "Secure Single-Server Aggregation with (Poly)Logarithmic Overhead", 2020 (eprint 2020/704).

/** Share of the clients that may drop out in a phase. */
const DROPOUTS = 0.3;
/** Share of a client's neighbours that may side with the aggregator. */
const COLLUSION = 0.1;
/** A round fails, because some client lost too many of its neighbours, no more often than this. */
const FAILURES = 2 ** -10;
/** Shamir's shares are over bytes. */
const MOST = 254;

/** How a secure sum of so many clients is laid out. */
export interface NeighborhoodSize {
  /** Neighbours of each client. */
  readonly neighbors: number;
  /** Shares that give a secret away; above half of the neighbours, so that nobody gets both secrets of a client. */
  readonly threshold: number;
}

/**
 * Neighbours and threshold for `clients`. With threshold `t` and `c` neighbours that collude, honest ones would have to
 * give `2 * (t - c)` shares for both secrets of a client, and give one each: they are too few when `2t > k + c`, which
 * holds for a tenth of the neighbours. The paper's least, about 2 log2 n neighbours, is where it starts; where a third of the
 * clients may go, so few often lose more than half, and the whole round with them. So neighbours are added until fewer than
 * one round in a thousand fails by that.
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
 * The neighbours of each client, ascending: mutual, and the same for whoever works it out from the same seed.
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

/** Probability that fewer than `threshold` of `drawn` neighbours are left when {@link DROPOUTS} of the others are gone: hypergeometric. */
function tooFewLeft({
  others,
  drawn,
  threshold,
}: {
  readonly others: number;
  readonly drawn: number;
  readonly threshold: number;
}): number {
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
