import { SednaError } from "@sedna-js/core";
import { createSerialQueue } from "@sedna-js/core/async";
import {
  type ModelFile,
  parseSignedKeySet,
  parseSignedManifest,
  type PublicKey,
  readPublicKey,
  type SignedManifest,
} from "@sedna-js/core/wire";
import type { ByteStore } from "../storage/byte-store.ts";
import { fetchSmall } from "./fetch-small.ts";
import { downloadFile } from "./model-download.ts";
import { isBad, references, versionOf } from "./model-files.ts";
import type { ModelStore, VerifiedModel } from "./model-store.ts";
import { createStateFile } from "./state-file.ts";
import { acceptManifest, prune } from "./store-rules.ts";
import type { StoredVersion, StoreState } from "./store-state.ts";
import { isWhole, readFile, sweepFiles } from "./stored-file.ts";
import { verifySignature } from "./verify-signature.ts";

/** Options of {@link createModelStore}. */
export interface ModelStoreOptions {
  /**
   * URL of the newest signed manifest. Its files are next to it, and so is `keys.json`, which replaces the
   * trusted keys.
   */
  readonly manifest: string | URL;
  /** Keys that are trusted until a signed key set replaces them. */
  readonly keys: readonly PublicKey[];
  readonly bytes: ByteStore;
  /**
   * Name of the model. Default: the name in the first manifest; manifests with another name are rejected from
   * then on.
   */
  readonly name?: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Deadline of a manifest request, in ms. Default 30000. */
  readonly deadlineMs?: number;
  /** Time without data after which an attempt to download a file fails, in ms. Default 30000. */
  readonly stallMs?: number;
  /** Upper bound of the first retry delay of a file, in ms. It doubles with each retry. Default 500. */
  readonly baseMs?: number;
  readonly random?: () => number;
  /** Monotonic clock, in ms. Default `performance.now()`. */
  readonly now?: () => number;
  /** Called when stored data is damaged, or when it cannot be read or cleaned up. */
  readonly onDamage?: (error: unknown) => void;
}

/** Interval between checks for new keys, in ms. */
const KEYS_MS = 3_600_000;

/**
 * Creates a model store on any byte store. Each stored model was signed by a trusted key, is not older than
 * any version seen before, and matches its manifest, which every read checks again. A crash at any point
 * keeps the existing versions.
 *
 * @throws {RangeError} If `keys` is empty.
 * @throws {WireError} If a key is invalid.
 * @throws {SednaError} From its methods: `model-untrusted` (signature, another model, another manifest of a
 * known version), `model-outdated`, `model-unreadable`, `model-mismatch` (the model refers to files that are
 * not listed, or is marked bad), `storage-*`.
 */
export function createModelStore({
  manifest: place,
  keys,
  bytes,
  name,
  fetch = (input, init) => globalThis.fetch(input, init),
  deadlineMs = 30_000,
  stallMs,
  baseMs,
  random,
  now = () => performance.now(),
  onDamage,
}: ModelStoreOptions): ModelStore {
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  const manifestUrl = new URL(place, page).href;
  const pinned = keys.map(({ id, publicKey }, i) => readPublicKey({ id, publicKey }, `keys[${i}]`));
  if (pinned.length === 0)
    throw new RangeError("open a model store: expected at least one public key; got none");
  const states = createStateFile({ bytes, onDamage });
  const installs = createSerialQueue();
  /** Files being downloaded. They belong to no version yet, and must not be swept. */
  let fetching: readonly ModelFile[] = [];
  /** Time of the next regular check for new keys. The first check is due at once. */
  let keysDue = -Infinity;
  /** The version that was last returned to run. */
  let given: number | undefined;
  const ask = (url: string, signal: AbortSignal | undefined): Promise<Uint8Array> =>
    fetchSmall(url, { fetch, deadlineMs, signal });

  /**
   * Fetches the manifest and verifies its signature with the trusted keys. If no key matches, checks for new
   * keys once.
   */
  const fetchManifest = async (signal: AbortSignal | undefined): Promise<SignedManifest> => {
    const signed = parseSignedManifest(await ask(manifestUrl, signal));
    // A compromised key still creates valid signatures. Only a newer key set revokes it.
    if (now() >= keysDue) {
      keysDue = now() + KEYS_MS;
      await rotateKeys(signal).catch(() => false);
      signal?.throwIfAborted();
    }
    const verify = async (): Promise<string> =>
      verifySignature(signed.manifest, {
        signatures: signed.signatures,
        keys: trusted(await states.read()),
        what: `the manifest at ${manifestUrl}`,
      });
    try {
      await verify();
    } catch (error) {
      if (!(error instanceof SednaError) || error.code !== "model-untrusted") throw error;
      const rotated = await rotateKeys(signal).catch(() => false);
      signal?.throwIfAborted();
      if (!rotated) throw error;
      await verify();
    }
    return signed;
  };
  const trusted = (known: StoreState): readonly PublicKey[] => known.keySet?.keySet.keys ?? pinned;
  const rotateKeys = async (signal: AbortSignal | undefined): Promise<boolean> => {
    const offered = parseSignedKeySet(await ask(new URL("keys.json", manifestUrl).href, signal));
    const before = await states.read();
    if (offered.keySet.version <= (before.keySet?.keySet.version ?? 0)) return false;
    await verifySignature(offered.keySet, {
      signatures: offered.signatures,
      keys: trusted(before),
      what: "the new keys",
    });
    await states.change((known) => (known.keySet === before.keySet ? { ...known, keySet: offered } : known));
    return true;
  };
  const check = async (
    signal: AbortSignal | undefined,
  ): Promise<{ readonly signed: SignedManifest; readonly known: StoreState }> => {
    const signed = await fetchManifest(signal);
    const known = await states.change((before) =>
      acceptManifest(before, {
        manifest: signed.manifest,
        place: manifestUrl,
        name,
      }),
    );
    return { signed, known };
  };

  const verified = ({ manifest }: SignedManifest): VerifiedModel => ({
    manifest,
    async read(path, { signal } = {}) {
      signal?.throwIfAborted();
      const file = manifest.files.find((one) => one.path === path);
      if (!file)
        throw new RangeError(
          `read a model's file: expected one of ${manifest.files.map((one) => one.path).join(", ")}; got ${JSON.stringify(path)}`,
        );
      const whole = await readFile(bytes, file);
      signal?.throwIfAborted();
      if (!whole)
        throw new SednaError(
          `read ${path} of ${manifest.name} ${manifest.version}: expected the verified file; got a missing or changed one`,
          { code: "model-unreadable" },
        );
      return whole;
    },
  });

  /**
   * Checks that ONNX files refer only to files listed with their variant: a runtime reads such files on its
   * own.
   */
  const checkReferences = async (signed: SignedManifest): Promise<void> => {
    const { name: model, version, variants } = signed.manifest;
    for (const { file, externalData = [] } of variants) {
      const onnx = await verified(signed).read(file);
      const unlisted = references(
        onnx,
        `install ${model} ${version}: expected ${file} as an ONNX model`,
      ).filter((path) => !externalData.includes(path));
      if (unlisted.length > 0)
        throw new SednaError(
          `install ${model} ${version}: expected ${file} to refer to ${externalData.join(", ") || "no files"}; got ${unlisted.map((path) => JSON.stringify(path)).join(", ")}`,
          { code: "model-mismatch" },
        );
    }
  };

  const fetchFiles = async (
    { manifest: { files } }: SignedManifest,
    { signal, onProgress }: NonNullable<Parameters<ModelStore["install"]>[0]>,
  ): Promise<void> => {
    fetching = files;
    const total = files.reduce((sum, { size }) => sum + size, 0);
    let before = 0;
    for (const file of files) {
      const progress = (done: number): void => onProgress?.({ done: before + done, total });
      await downloadFile({
        url: new URL(file.path, manifestUrl).href,
        file,
        bytes,
        fetch,
        onProgress: progress,
        signal,
        random,
        stallMs,
        baseMs,
      });
      before += file.size;
      progress(0);
    }
  };

  /**
   * Deletes files that no version needs. A crash or a failure halfway leaves unneeded files, but never
   * removes a needed one.
   */
  const sweep = async (): Promise<void> => {
    const needed = (await states.read()).versions
      .filter(({ state }) => state !== "bad")
      .flatMap(({ signed }) => signed.manifest.files);
    await sweepFiles(bytes, [...needed, ...fetching]).catch((error: unknown) => onDamage?.(error));
  };

  const install: ModelStore["install"] = (options = {}) =>
    installs.run(
      async () => {
        const { signed, known } = await check(options.signal);
        const { version } = signed.manifest;
        if (isBad(known, version))
          throw new SednaError(
            `install ${signed.manifest.name} ${version}: expected a version that is not marked bad; a later version may be good`,
            { code: "model-mismatch" },
          );
        try {
          await fetchFiles(signed, options);
          await checkReferences(signed);
        } catch (error) {
          // Keep the fetched parts for the next attempt, unless they fill the disk.
          if (error instanceof SednaError && error.code === "storage-full") {
            fetching = [];
            await sweep();
          }
          throw error;
        }
        given ??= version;
        // Drop versions whose trials the process did not survive, except the running one: this version
        // replaces them.
        const stays = (one: StoredVersion): boolean => one.state !== "trial" || versionOf(one) === given;
        const add = (before: StoreState): StoreState => ({
          ...before,
          versions: [...before.versions.filter(stays), { state: "installed", trials: 0, signed }],
        });
        await states.change((before) =>
          before.versions.some((one) => versionOf(one) === version) ? before : prune(add(before), given),
        );
        fetching = [];
        await sweep();
        return verified(signed);
      },
      options.signal ? { signal: options.signal } : {},
    );

  /** Returns the first of these versions whose files are all intact. */
  const firstWhole = async (candidates: readonly StoredVersion[]): Promise<VerifiedModel | undefined> => {
    for (const { signed } of candidates) {
      const { name: model, version, files } = signed.manifest;
      let intact = true;
      for (const file of files) intact &&= await isWhole(bytes, file);
      if (intact) {
        given = version;
        return verified(signed);
      }
      onDamage?.(
        new SednaError(`read ${model} ${version}: expected the verified files; got missing or changed ones`, {
          code: "model-unreadable",
        }),
      );
    }
    return undefined;
  };
  const newestFirst = async (...wanted: readonly StoredVersion["state"][]): Promise<StoredVersion[]> =>
    (await states.read()).versions
      .filter(({ state }) => wanted.includes(state))
      .toSorted((a, b) => versionOf(b) - versionOf(a));

  return {
    check: async ({ signal } = {}) => (await check(signal)).signed.manifest,
    install,
    current: async () =>
      firstWhole([...(await newestFirst("good")), ...(await newestFirst("installed", "trial"))]),
    lastGood: async () => firstWhole(await newestFirst("good")),
    async mark(version, state) {
      await states.change((known) => {
        if (!known.versions.some((one) => versionOf(one) === version))
          throw new RangeError(`mark a version ${state}: expected an installed version; got ${version}`);
        const versions = known.versions.map((one) =>
          versionOf(one) === version
            ? { ...one, state, trials: one.trials + (state === "trial" ? 1 : 0) }
            : one,
        );
        return prune({ ...known, versions }, given);
      });
      await sweep();
    },
    versions: async () =>
      (await states.read()).versions.map((one) => ({
        version: versionOf(one),
        state: one.state,
        trials: one.trials,
      })),
  };
}
