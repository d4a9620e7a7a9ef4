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
  /** Parameters of the model. */
  readonly length: number;
  /** It takes no part in sums of fewer. Default 3: of two, each knows the other's. */
  readonly minClients?: number;
  /** What it trained; asked for once, when its vector is wanted. */
  readonly update: () => Promise<{ readonly change: Float32Array; readonly numSamples: number }>;
  /** Signs its keys by its device's key. */
  readonly sign?: (
    bytes: Uint8Array<ArrayBuffer>,
  ) => Promise<{ readonly device: string; readonly signature: string }>;
  /** Says whether a device signed its keys. With it everyone's must be signed, each by another device: the aggregator can't make up clients. */
  readonly verify?: (keys: {
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly device: string;
    readonly signature: string;
  }) => Promise<boolean>;
  /** Fills with random bytes. Default: the engine's cryptographic source. */
  readonly fill?: (bytes: Uint8Array<ArrayBuffer>) => void;
}

/** A client's side of one secure sum. */
export interface SecureClient {
  /**
   * What it answers to the aggregator's message of a phase. The same message again gets the same answer.
   * @throws {WireError} on a message that is none.
   * @throws {SednaError} `privacy-forbids` when the aggregator asks for what an honest one would not; from then on it answers nothing.
   */
  answer(phase: SecurePhase, message: unknown): Promise<SecureAnswer>;
}

/** What is known once everyone's keys are. */
interface Cohort {
  readonly task: SecureSharesTask;
  readonly me: number;
  readonly neighbors: readonly number[];
  readonly threshold: number;
  readonly transcript: Uint8Array<ArrayBuffer>;
}

const PHASES: readonly SecurePhase[] = ["keys", "shares", "masked", "unmask"];

/**
 * A client of one round of the secure sum, which believes its aggregator nothing that it can work out itself: who its
 * neighbours are, how many shares open a secret, whether the sum could overflow. It gives at most one share of each
 * neighbour away, for the one list of survivors that it saw first.
 *
 * 1. keys: makes two key pairs and a seed, all of them for this round only.
 * 2. shares: splits the seed and one secret key among its neighbours, sealed.
 * 3. masked: gives its change plus the seed's mask, plus or minus a mask with each neighbour that is still there.
 * 4. unmask: of each neighbour that survived, gives the share of the seed; of each that did not, the share of the key.
 *
 * Departures from the paper (Bell et al., 2020): keys and masks hang on a digest of all keys, so that who was shown others
 * is left out rather than deceived; the ring is drawn from it too, so that nobody chooses neighbours.
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
    seen.rejected ??= new SednaError(`take part in a secure sum: ${reason}`, { code: "privacy-forbids" });
    throw seen.rejected;
  };
  /** What it shares with each of its neighbours. */
  const pairs = new Map<
    number,
    { readonly mask: Uint8Array<ArrayBuffer>; readonly seal: Uint8Array<ArrayBuffer> }
  >();
  const agree = async (who: number, { task, transcript }: Cohort): Promise<void> => {
    const { maskKey, sealKey } = task.clients[who]!;
    if ([maskKey, sealKey].some((key) => isSmallOrder(fromBase64(key))))
      refuse("expected keys of full order; got one that gives everyone the same secret");
    pairs.set(who, {
      mask: await sharedKey(agreements.mask!, { theirs: maskKey, use: "mask", transcript }),
      seal: await sharedKey(agreements.seal!, { theirs: sealKey, use: "seal", transcript }),
    });
  };

  const checkSettings = (settings: SecureSettings): void => {
    if (settings.length !== length) refuse(`expected a sum of ${length} parameters; got ${settings.length}`);
    if (settings.minClients < minClients)
      refuse(`expected a sum of at least ${minClients} clients; got one of ${settings.minClients}`);
  };

  const verified = async (clients: readonly SecureKeys[]): Promise<void> => {
    if (!verify) return;
    const devices = new Set<string>();
    for (const { maskKey, sealKey, device, signature } of clients) {
      if (device === undefined || signature === undefined)
        return refuse("expected keys that a device signed; got some that none did");
      if (devices.has(device)) refuse(`expected each device once; got ${device} again`);
      devices.add(device);
      if (!(await verify({ bytes: keysToSign({ federation, round, maskKey, sealKey }), device, signature })))
        refuse(`expected keys that ${device} signed; got others`);
    }
  };

  const join = async (message: unknown): Promise<SecureAnswer> => {
    const task = parseSecureSharesTask(message);
    const { clients, settings } = task;
    if (text(settings) !== text(seen.settings))
      refuse("expected the settings that were said first; got others");
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
    if (me < 0) refuse("expected its own keys among all; got none");
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
      refuse("expected clients of this sum to be there, itself among them; got others");
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
    // One that can't be opened may be its neighbour's fault; so many are the aggregator's, who showed them other keys.
    if (seen.shares.size < threshold)
      refuse(
        `expected shares of at least ${threshold} neighbors that can be opened; got ${seen.shares.size}`,
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
        "expected each client as a survivor or as dropped; got one as both, whose update would lie open",
      );
    if (text(both) !== text(seen.present)) refuse("expected those whose shares came, each once; got others");
    if (!survivors.includes(me)) refuse("expected itself among the survivors; got a list without it");
    if (survivors.length < task.settings.minClients)
      refuse(`expected at least ${task.settings.minClients} survivors; got ${survivors.length}`);
    const beside = neighbors.filter((who) => survivors.includes(who)).length;
    if (beside < threshold)
      refuse(
        `expected at least ${threshold} of its ${neighbors.length} neighbors to have survived; got ${beside}`,
      );
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
          : refuse(`expected one message of phase ${phase}; got a second one that says something else`);
      const earlier = PHASES[PHASES.indexOf(phase) - 1];
      if (earlier !== undefined && !given.has(earlier))
        throw new SednaError(`take part in a secure sum: expected phase ${earlier} first; got ${phase}`, {
          code: "update-refused",
        });
      const made = (async () => {
        if (earlier !== undefined) await given.get(earlier)!.answer;
        return answer(phase, message);
      })();
      given.set(phase, { key, answer: made });
      // What failed has given nothing away, and may be asked for again.
      made.catch(() => given.delete(phase));
      return made;
    },
  };
}

const text = (value: unknown): string => new TextDecoder().decode(canonicalJson(value));
