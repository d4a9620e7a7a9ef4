import { SednaError } from "../errors.ts";
import { canonicalJson } from "../wire/canonical-json.ts";
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
import type { SecurePhase } from "../wire/federation.ts";
import { isSmallOrder, keyAgreement, type KeyAgreement } from "./key-agreement.ts";
import { addMask } from "./keystream.ts";
import { neighborhoodSize, neighborsOf } from "./neighborhood.ts";
import { fitsRing, quantize, weightOf } from "./quantize.ts";
import { fromBase64, keysToSign, seal, sharedKey, toBase64, transcriptOf, unseal } from "./secure-keys.ts";
import { commitmentTo, readShares, splitSecrets, type NeighborShares } from "./share-secrets.ts";

/** Options of {@link createSecureClient}. */
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

/** The client side of one secure aggregation. */
export interface SecureClient {
  /**
   * Returns the response to the aggregator's message of a phase. The same message gets the same response.
   *
   * @throws {WireError} If the message is malformed.
   * @throws {SednaError} `privacy-forbids` if the aggregator requests what an honest aggregator would not,
   * and for every later call; `update-rejected` if the previous phase is missing.
   */
  answer(phase: SecurePhase, message: unknown): Promise<SecureAnswer>;
}

/** Data derived from the keys of all clients. */
interface Cohort {
  readonly task: SecureSharesTask;
  readonly me: number;
  readonly neighbors: readonly number[];
  readonly threshold: number;
  readonly transcript: Uint8Array<ArrayBuffer>;
}

const PHASES: readonly SecurePhase[] = ["keys", "shares", "masked", "unmask"];

/**
 * Creates a client of one round of secure aggregation. The client does not trust the aggregator with anything
 * that it can compute itself: its neighbors, the number of shares that recover a secret, and whether the sum
 * could overflow. It reveals at most one share per neighbor, for the first list of survivors that it
 * receives.
 *
 * 1. keys: creates two key pairs and a seed, for this round only.
 * 2. shares: splits the seed and one secret key among its neighbors, encrypted.
 * 3. masked: returns its update plus the mask of the seed, plus or minus a mask for each neighbor that is
 *    still present.
 * 4. unmask: returns the share of the seed for each neighbor that survived, and the share of the key for each
 *    neighbor that dropped out.
 *
 * Departures from the paper (Bell et al., 2020): keys and masks depend on a digest of all keys, so that a
 * client that was shown other keys is excluded rather than deceived; the ring is derived from the same
 * digest, so that no party can choose neighbors.
 */
export function createSecureClient(options: SecureClientOptions): SecureClient {
  const {
    federation,
    round,
    length,
    minClients = 3,
    update,
    sign,
    verify,
    fill = (bytes) => void crypto.getRandomValues(bytes),
  } = options;
  const secret = (): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(32);
    fill(bytes);
    return bytes;
  };
  const mine = { seed: secret(), mask: secret() };
  const agreements: { mask?: KeyAgreement; seal?: KeyAgreement } = {};
  const ownKeys = async (): Promise<{ readonly maskKey: string; readonly sealKey: string }> => {
    agreements.mask ??= await keyAgreement(mine.mask);
    agreements.seal ??= await keyAgreement(secret());
    return { maskKey: toBase64(agreements.mask.publicKey), sealKey: toBase64(agreements.seal.publicKey) };
  };
  const given = new Map<SecurePhase, { readonly key: string; readonly answer: Promise<SecureAnswer> }>();
  const seen: {
    settings?: SecureSettings;
    cohort?: Cohort;
    present?: readonly number[];
    readonly shares: Map<number, NeighborShares>;
    rejected?: SednaError;
  } = { shares: new Map() };

  const refuse = (reason: string): never => {
    seen.rejected ??= new SednaError(`take part in a secure aggregation: ${reason}`, {
      code: "privacy-forbids",
    });
    throw seen.rejected;
  };
  /** Keys that the client shares with each of its neighbors. */
  const pairs = new Map<
    number,
    { readonly mask: Uint8Array<ArrayBuffer>; readonly seal: Uint8Array<ArrayBuffer> }
  >();
  const agree = async (who: number, { task, transcript }: Cohort): Promise<void> => {
    const { maskKey, sealKey } = task.clients[who]!;
    if ([maskKey, sealKey].some((key) => isSmallOrder(fromBase64(key))))
      refuse("expected keys of full order; got one that gives every client the same secret");
    pairs.set(who, {
      mask: await sharedKey(agreements.mask!, { theirs: maskKey, use: "mask", transcript }),
      seal: await sharedKey(agreements.seal!, { theirs: sealKey, use: "seal", transcript }),
    });
  };

  const checkSettings = (settings: SecureSettings): void => {
    if (settings.length !== length)
      refuse(`expected an aggregation of ${length} parameters; got ${settings.length}`);
    if (settings.minClients < minClients)
      refuse(`expected an aggregation of at least ${minClients} clients; got ${settings.minClients}`);
  };

  const verified = async (clients: readonly SecureKeys[]): Promise<void> => {
    if (!verify) return;
    const devices = new Set<string>();
    for (const { maskKey, sealKey, device, signature } of clients) {
      if (device === undefined || signature === undefined)
        return refuse("expected keys signed by a device; got unsigned keys");
      if (devices.has(device)) refuse(`expected each device once; got ${device} twice`);
      devices.add(device);
      if (!(await verify({ bytes: keysToSign({ federation, round, maskKey, sealKey }), device, signature })))
        refuse(`expected keys signed by ${device}; got others`);
    }
  };

  const join = async (message: unknown): Promise<SecureAnswer> => {
    const task = parseSecureSharesTask(message);
    const { clients, settings } = task;
    if (text(settings) !== text(seen.settings))
      refuse("expected the settings of phase keys; got different settings");
    if (clients.length < settings.minClients)
      refuse(`expected at least ${settings.minClients} clients; got ${clients.length}`);
    if (!fitsRing(settings, clients.length))
      refuse(
        `expected clients times levels times weight below 2^32; got ${clients.length} times ${settings.levels} times ${settings.maxWeight}`,
      );
    const own = await ownKeys();
    const me = clients.findIndex(
      ({ maskKey, sealKey }) => maskKey === own.maskKey && sealKey === own.sealKey,
    );
    if (me < 0) refuse("expected its own keys in the list; got a list without them");
    await verified(clients);
    const transcript = await transcriptOf({ federation, round, settings, clients });
    const neighbors = (await neighborsOf({ clients: clients.length, seed: transcript }))[me]!;
    const { threshold } = neighborhoodSize(clients.length);
    seen.cohort = { task, me, neighbors, threshold, transcript };
    const secrets = await splitSecrets(
      { seed: mine.seed, maskSecret: mine.mask },
      { neighbors: neighbors.length, threshold },
    );
    const boxes = [];
    for (const [i, to] of neighbors.entries()) {
      await agree(to, seen.cohort);
      boxes.push({ to, box: toBase64(await seal(secrets[i]!, { key: pairs.get(to)!.seal, from: me, to })) });
    }
    return { phase: "shares", message: { commitment: await commitmentTo(mine.seed), boxes } };
  };

  const mask = async (message: unknown): Promise<SecureAnswer> => {
    const { me, neighbors, threshold, task } = seen.cohort!;
    const { present, boxes } = parseSecureMaskedTask(message);
    const { settings, clients } = task;
    if (!present.includes(me) || present.at(-1)! >= clients.length)
      refuse("expected present clients of this aggregation, including itself; got others");
    if (present.length < settings.minClients)
      refuse(`expected at least ${settings.minClients} clients; got ${present.length}`);
    const beside = neighbors.filter((who) => present.includes(who));
    if (beside.length < threshold)
      refuse(`expected at least ${threshold} of its ${neighbors.length} neighbors; got ${beside.length}`);
    for (const { from, box } of boxes.filter(({ from }) => beside.includes(from))) {
      const shares = await unseal(fromBase64(box), { key: pairs.get(from)!.seal, from, to: me }).then(
        readShares,
        () => undefined,
      );
      if (shares) seen.shares.set(from, shares);
    }
    // A single share that cannot be decrypted may be the fault of a neighbor. This many are the fault of the
    // aggregator, which showed the neighbors other keys.
    if (seen.shares.size < threshold)
      refuse(
        `expected shares of at least ${threshold} neighbors that can be decrypted; got ${seen.shares.size}`,
      );
    seen.present = present;
    const { change, numSamples } = await update();
    const vector = quantize(change, { settings, weight: weightOf(settings, numSamples) });
    await addMask(vector, { key: mine.seed, sign: 1 });
    for (const who of beside) await addMask(vector, { key: pairs.get(who)!.mask, sign: me < who ? 1 : -1 });
    return { phase: "masked", message: vector };
  };

  const unmask = (message: unknown): SecureAnswer => {
    const { me, neighbors, threshold, task } = seen.cohort!;
    const { survivors, dropped } = parseSecureUnmaskTask(message);
    const both = [...survivors, ...dropped].toSorted((a, b) => a - b);
    if (both.length !== new Set(both).size)
      refuse(
        "expected each client as a survivor or as dropped; got one as both, which would expose its update",
      );
    if (text(both) !== text(seen.present))
      refuse("expected the clients of phase masked, each once; got others");
    if (!survivors.includes(me)) refuse("expected itself among the survivors; got a list without it");
    if (survivors.length < task.settings.minClients)
      refuse(`expected at least ${task.settings.minClients} survivors; got ${survivors.length}`);
    const beside = neighbors.filter((who) => survivors.includes(who)).length;
    if (beside < threshold)
      refuse(`expected at least ${threshold} of its ${neighbors.length} neighbors to survive; got ${beside}`);
    const sharesOf = (list: readonly number[], which: keyof NeighborShares): SecureShare[] =>
      list.flatMap((of) =>
        seen.shares.has(of) ? [{ of, share: toBase64(seen.shares.get(of)![which]) }] : [],
      );
    return {
      phase: "unmask",
      message: { seeds: sharesOf(survivors, "seed"), keys: sharesOf(dropped, "key") },
    };
  };

  const answer = async (phase: SecurePhase, message: unknown): Promise<SecureAnswer> => {
    switch (phase) {
      case "keys": {
        const { settings } = parseSecureKeysTask(message);
        checkSettings(settings);
        seen.settings = settings;
        const keys = await ownKeys();
        return {
          phase,
          message: sign ? { ...keys, ...(await sign(keysToSign({ federation, round, ...keys }))) } : keys,
        };
      }
      case "shares":
        return join(message);
      case "masked":
        return mask(message);
      case "unmask":
        return unmask(message);
      default:
        return phase satisfies never;
    }
  };

  return {
    async answer(phase, message) {
      if (seen.rejected) throw seen.rejected;
      const key = text(message);
      const before = given.get(phase);
      if (before)
        return before.key === key
          ? before.answer
          : refuse(`expected one message of phase ${phase}; got a different second one`);
      const earlier = PHASES[PHASES.indexOf(phase) - 1];
      if (earlier !== undefined && !given.has(earlier))
        throw new SednaError(
          `take part in a secure aggregation: expected phase ${earlier} first; got ${phase}`,
          {
            code: "update-rejected",
          },
        );
      const made = (async () => {
        if (earlier !== undefined) await given.get(earlier)!.answer;
        return answer(phase, message);
      })();
      given.set(phase, { key, answer: made });
      // A failed call has revealed nothing, and the phase may be requested again.
      made.catch(() => given.delete(phase));
      return made;
    },
  };
}

const text = (value: unknown): string => new TextDecoder().decode(canonicalJson(value));
