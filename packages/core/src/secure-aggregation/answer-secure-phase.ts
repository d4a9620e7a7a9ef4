import { SednaError } from "../errors.ts";
import { canonicalJson } from "../wire/canonical-json.ts";
import type { SecurePhase } from "../wire/federation.ts";
import {
  parseSecureKeysTask,
  parseSecureMaskedTask,
  parseSecureSharesTask,
  parseSecureUnmaskTask,
} from "../wire/secure-aggregation-parsers.ts";
import type {
  SecureAnswer,
  SecureKeys,
  SecureSettings,
  SecureShare,
  SecureSharesTask,
} from "../wire/secure-aggregation.ts";
import type { ClientSecrets } from "./client-secrets.ts";
import { addMask } from "./keystream.ts";
import { neighborhoodSize, neighborsOf } from "./neighborhood.ts";
import { fitsRing, quantize, weightOf } from "./quantize.ts";
import { fromBase64, keysToSign, seal, toBase64, transcriptOf, unseal } from "./secure-keys.ts";
import { commitmentTo, readShares, splitSecrets, type NeighborShares } from "./share-secrets.ts";

/** Options of `createSecureClient`. */
export interface SecureClientOptions {
  readonly federation: string;
  readonly round: number;
  /** Number of model parameters. */
  readonly length: number;
  /**
   * Minimum number of clients in an aggregation that the client takes part in. Default 3: with two clients,
   * each could compute the update of the other.
   */
  readonly minClients?: number;
  /** Returns the trained update. Called once, when the masked vector is requested. */
  readonly update: () => Promise<{ readonly change: Float32Array; readonly numSamples: number }>;
  /** Signs the client's keys with the key of its device. */
  readonly sign?: (
    bytes: Uint8Array<ArrayBuffer>,
  ) => Promise<{ readonly device: string; readonly signature: string }>;
  /**
   * Returns whether a device signed its keys. If set, the keys of every client must be signed, each by
   * another device, so that the aggregator cannot invent clients.
   */
  readonly verify?: (keys: {
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly device: string;
    readonly signature: string;
  }) => Promise<boolean>;
  /** Fills an array with random bytes. Default: `crypto.getRandomValues`. */
  readonly fill?: (bytes: Uint8Array<ArrayBuffer>) => void;
}

/** Data derived from the keys of all clients. */
interface Cohort {
  readonly task: SecureSharesTask;
  readonly me: number;
  readonly neighbors: readonly number[];
  readonly threshold: number;
}

/**
 * What a client knows of one round. Each phase sets its part: `keys` the settings, `shares` the cohort,
 * `masked` the present clients and the shares of its neighbors.
 */
export interface SecureSession {
  readonly options: Required<Pick<SecureClientOptions, "minClients">> & SecureClientOptions;
  readonly secrets: ClientSecrets;
  readonly shares: Map<number, NeighborShares>;
  settings?: SecureSettings;
  cohort?: Cohort;
  present?: readonly number[];
  /** Set when the aggregator has requested what an honest one would not. */
  rejected?: SednaError;
}

/** Returns the response to the message of a phase. @throws As `SecureClient.answer`. */
export async function answerSecurePhase(
  session: SecureSession,
  phase: SecurePhase,
  message: unknown,
): Promise<SecureAnswer> {
  switch (phase) {
    case "keys":
      return answerKeys(session, message);
    case "shares":
      return answerShares(session, message);
    case "masked":
      return answerMasked(session, message);
    case "unmask":
      return answerUnmask(session, message);
    default:
      return phase satisfies never;
  }
}

/**
 * Ends the client's part in the round.
 * @throws {SednaError} `privacy-forbids`, with the first reason, now and for every later call.
 */
export function refuse(session: SecureSession, reason: string): never {
  session.rejected ??= new SednaError(`take part in a secure aggregation: ${reason}`, {
    code: "privacy-forbids",
  });
  throw session.rejected;
}

/** Returns a message as canonical text, for comparisons. */
export function textOf(value: unknown): string {
  return new TextDecoder().decode(canonicalJson(value));
}

async function answerKeys(session: SecureSession, message: unknown): Promise<SecureAnswer> {
  const { secrets } = session;
  const { federation, round, sign } = session.options;
  const { settings } = parseSecureKeysTask(message);
  checkSettings(session, settings);
  session.settings = settings;
  const keys = await secrets.publicKeys();
  return {
    phase: "keys",
    message: sign ? { ...keys, ...(await sign(keysToSign({ federation, round, ...keys }))) } : keys,
  };
}

function checkSettings(session: SecureSession, settings: SecureSettings): void {
  const { length, minClients } = session.options;
  if (settings.length !== length)
    refuse(session, `expected an aggregation of ${length} parameters; got ${settings.length}`);
  if (settings.minClients < minClients)
    refuse(session, `expected an aggregation of at least ${minClients} clients; got ${settings.minClients}`);
}

async function answerShares(session: SecureSession, message: unknown): Promise<SecureAnswer> {
  const { secrets } = session;
  const { federation, round } = session.options;
  const task = parseSecureSharesTask(message);
  const { clients, settings } = task;
  if (textOf(settings) !== textOf(session.settings))
    refuse(session, "expected the settings of phase keys; got different settings");
  if (clients.length < settings.minClients)
    refuse(session, `expected at least ${settings.minClients} clients; got ${clients.length}`);
  if (!fitsRing(settings, clients.length))
    refuse(
      session,
      `expected clients times levels times weight below 2^32; got ${clients.length} times ${settings.levels} times ${settings.maxWeight}`,
    );
  const own = await secrets.publicKeys();
  const me = clients.findIndex(({ maskKey, sealKey }) => maskKey === own.maskKey && sealKey === own.sealKey);
  if (me < 0) refuse(session, "expected its own keys in the list; got a list without them");
  await checkSignatures(session, clients);
  const transcript = await transcriptOf({ federation, round, settings, clients });
  const neighbors = (await neighborsOf({ clients: clients.length, seed: transcript }))[me]!;
  const { threshold } = neighborhoodSize(clients.length);
  session.cohort = { task, me, neighbors, threshold };
  const split = await splitSecrets(
    { seed: secrets.seed, maskSecret: secrets.maskSecret },
    { neighbors: neighbors.length, threshold },
  );
  const boxes = [];
  for (const [i, to] of neighbors.entries()) {
    if (!(await secrets.agree(to, clients[to]!, transcript)))
      refuse(session, "expected keys of full order; got one that gives every client the same secret");
    boxes.push({
      to,
      box: toBase64(await seal(split[i]!, { key: secrets.sharedWith(to).seal, from: me, to })),
    });
  }
  return { phase: "shares", message: { commitment: await commitmentTo(secrets.seed), boxes } };
}

/** Checks that each key is signed by a device of its own, if the client requires it. */
async function checkSignatures(session: SecureSession, clients: readonly SecureKeys[]): Promise<void> {
  const { federation, round, verify } = session.options;
  if (!verify) return;
  const devices = new Set<string>();
  for (const { maskKey, sealKey, device, signature } of clients) {
    if (device === undefined || signature === undefined)
      return refuse(session, "expected keys signed by a device; got unsigned keys");
    if (devices.has(device)) refuse(session, `expected each device once; got ${device} twice`);
    devices.add(device);
    if (!(await verify({ bytes: keysToSign({ federation, round, maskKey, sealKey }), device, signature })))
      refuse(session, `expected keys signed by ${device}; got others`);
  }
}

async function answerMasked(session: SecureSession, message: unknown): Promise<SecureAnswer> {
  const { secrets } = session;
  const { me, neighbors, threshold, task } = session.cohort!;
  const { present, boxes } = parseSecureMaskedTask(message);
  const { settings, clients } = task;
  if (!present.includes(me) || present.at(-1)! >= clients.length)
    refuse(session, "expected present clients of this aggregation, including itself; got others");
  if (present.length < settings.minClients)
    refuse(session, `expected at least ${settings.minClients} clients; got ${present.length}`);
  const beside = neighbors.filter((who) => present.includes(who));
  if (beside.length < threshold)
    refuse(
      session,
      `expected at least ${threshold} of its ${neighbors.length} neighbors; got ${beside.length}`,
    );
  for (const { from, box } of boxes.filter(({ from }) => beside.includes(from))) {
    const shares = await unseal(fromBase64(box), { key: secrets.sharedWith(from).seal, from, to: me }).then(
      readShares,
      () => undefined,
    );
    if (shares) session.shares.set(from, shares);
  }
  // A single share that cannot be decrypted may be the fault of a neighbor. This many are the fault of the
  // aggregator, which showed the neighbors other keys.
  if (session.shares.size < threshold)
    refuse(
      session,
      `expected shares of at least ${threshold} neighbors that can be decrypted; got ${session.shares.size}`,
    );
  session.present = present;
  const { change, numSamples } = await session.options.update();
  const vector = quantize(change, { settings, weight: weightOf(settings, numSamples) });
  await addMask(vector, { key: secrets.seed, sign: 1 });
  for (const who of beside)
    await addMask(vector, { key: secrets.sharedWith(who).mask, sign: me < who ? 1 : -1 });
  return { phase: "masked", message: vector };
}

function answerUnmask(session: SecureSession, message: unknown): SecureAnswer {
  const { me, neighbors, threshold, task } = session.cohort!;
  const { survivors, dropped } = parseSecureUnmaskTask(message);
  const both = [...survivors, ...dropped].toSorted((a, b) => a - b);
  if (both.length !== new Set(both).size)
    refuse(
      session,
      "expected each client as a survivor or as dropped; got one as both, which would expose its update",
    );
  if (textOf(both) !== textOf(session.present))
    refuse(session, "expected the clients of phase masked, each once; got others");
  if (!survivors.includes(me)) refuse(session, "expected itself among the survivors; got a list without it");
  if (survivors.length < task.settings.minClients)
    refuse(session, `expected at least ${task.settings.minClients} survivors; got ${survivors.length}`);
  const beside = neighbors.filter((who) => survivors.includes(who)).length;
  if (beside < threshold)
    refuse(
      session,
      `expected at least ${threshold} of its ${neighbors.length} neighbors to survive; got ${beside}`,
    );
  const sharesOf = (list: readonly number[], which: keyof NeighborShares): SecureShare[] =>
    list.flatMap((of) =>
      session.shares.has(of) ? [{ of, share: toBase64(session.shares.get(of)![which]) }] : [],
    );
  return {
    phase: "unmask",
    message: { seeds: sharesOf(survivors, "seed"), keys: sharesOf(dropped, "key") },
  };
}
