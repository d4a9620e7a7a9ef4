import { canonicalJson, createRunQueue, onnxReferences, parseSignedKeySet, parseSignedManifest, SednaError, type ModelManifest, type PublicKey, type SignedManifest } from "@sedna-js/core";
import type { ByteStore } from "./byte-store.ts";
import { discardFile, downloadFile, readFile } from "./model-download.ts";
import { fetchSmall } from "./fetch-small.ts";
import type { ModelStore, VerifiedModel, VersionState } from "./model-store.ts";
import { readStoreState, writeStoreState, type StoredVersion, type StoreState } from "./store-state.ts";
import { verifySignature } from "./verify-signature.ts";

/** Options of {@link createModelStore}. */
export interface ModelStoreOptions {
  /** Where the newest signed manifest is. Its files lie beside it, and so does `keys.json`, where keys are exchanged. */
  readonly manifest: string | URL;
  /** The keys that are trusted until a signed set of keys says otherwise. */
  readonly keys: readonly PublicKey[];
  readonly bytes: ByteStore;
  readonly fetch?: typeof globalThis.fetch;
  /** How long the manifest may take, in ms. Default 30000. */
  readonly deadlineMs?: number;
  /** How long a server may send nothing of a file, in ms. Default 30000. */
  readonly stallMs?: number;
  readonly random?: () => number;
  /** Told when what was stored is damaged and is fetched or begun again. */
  readonly onDamage?: (error: unknown) => void;
}

const STATE = "state.json";
/** Good versions whose files are kept: the one to run, and the one to go back to. */
const GOOD_KEPT = 2;

/**
 * A model store over any disk. What is in it was signed by a trusted key, is not older than anything it has seen, and
 * is what its manifest promises, checked again each time it is read.
 *
 * @throws {SednaError} from its calls: `model-untrusted` (signature, another model, another manifest under a known
 * version), `model-outdated`, `model-unreadable`, `model-mismatch` (it refers to files that are not listed), `storage-*`.
 */
export function createModelStore({ manifest: place, keys, bytes, fetch = (input, init) => globalThis.fetch(input, init), deadlineMs = 30_000, stallMs, random, onDamage }: ModelStoreOptions): ModelStore {
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  const manifestUrl = new URL(place, page).href;
  // One after the other: each of these reads the state and writes it back.
  const turns = createRunQueue();
  let opened: Promise<StoreState> | undefined;

  const open = async (): Promise<StoreState> => {
    const stored = await bytes.get(STATE);
    if (stored === undefined) return { highest: 0, versions: [] };
    try {
      return readStoreState(stored);
    } catch (error) {
      onDamage?.(error);
      return { highest: 0, versions: [] };
    }
  };
  const state = (): Promise<StoreState> => (opened ??= open().catch((error: unknown) => {
    opened = undefined;
    throw error;
  }));
  const save = async (next: StoreState): Promise<StoreState> => {
    await bytes.set(STATE, writeStoreState(next));
    opened = Promise.resolve(next);
    return next;
  };
  const ask = (url: string, signal: AbortSignal | undefined): Promise<Uint8Array> => fetchSmall(url, { fetch, deadlineMs, ...(signal && { signal }) });

  /** The signed manifest, once a trusted key vouches for it; where none does, new keys are looked for, once. */
  const fetchManifest = async (signal: AbortSignal | undefined): Promise<{ signed: SignedManifest; known: StoreState }> => {
    const signed = parseSignedManifest(await ask(manifestUrl, signal));
    let known = await state();
    const verify = (): Promise<string> => verifySignature(signed.manifest, { signatures: signed.signatures, keys: known.keySet?.keySet.keys ?? keys, what: `the manifest at ${manifestUrl}` });
    try {
      await verify();
    } catch (error) {
      if (!(error instanceof SednaError) || error.code !== "model-untrusted") throw error;
      const rotated = await rotateKeys(known, signal).catch(() => undefined);
      if (rotated === undefined) throw error;
      known = rotated;
      await verify();
    }
    return { signed, known };
  };
  const rotateKeys = async (known: StoreState, signal: AbortSignal | undefined): Promise<StoreState | undefined> => {
    const offered = parseSignedKeySet(await ask(new URL("keys.json", manifestUrl).href, signal));
    if (offered.keySet.version <= (known.keySet?.keySet.version ?? 0)) return undefined;
    await verifySignature(offered.keySet, { signatures: offered.signatures, keys: known.keySet?.keySet.keys ?? keys, what: "the new keys" });
    return save({ ...known, keySet: offered });
  };

  const check = async (signal: AbortSignal | undefined): Promise<{ signed: SignedManifest; known: StoreState }> => {
    const { signed, known } = await fetchManifest(signal);
    const { name, version } = signed.manifest;
    if (known.name !== undefined && name !== known.name) throw new SednaError(`trust the manifest at ${manifestUrl}: expected the model ${known.name}; got ${name}`, { code: "model-untrusted" });
    if (version < known.highest) throw new SednaError(`trust the manifest at ${manifestUrl}: expected version ${known.highest} or a later one; got ${version}`, { code: "model-outdated" });
    const same = known.versions.find((one) => one.signed.manifest.version === version);
    if (same && !alike(same.signed.manifest, signed.manifest)) throw new SednaError(`trust the manifest at ${manifestUrl}: expected version ${version} as it was; got another under the same number`, { code: "model-untrusted" });
    return { signed, known: version > known.highest || known.name === undefined ? await save({ ...known, name, highest: version }) : known };
  };

  const verified = ({ manifest }: SignedManifest): VerifiedModel => ({
    manifest,
    async read(path, { signal } = {}) {
      signal?.throwIfAborted();
      const file = manifest.files.find((one) => one.path === path);
      if (!file) throw new RangeError(`read a model's file: expected one of ${manifest.files.map((one) => one.path).join(", ")}; got ${JSON.stringify(path)}`);
      const whole = await readFile(bytes, file);
      signal?.throwIfAborted();
      if (!whole) throw new SednaError(`read ${path} of ${manifest.name} ${manifest.version}: expected the file that was verified; got one that is gone or was changed`, { code: "model-unreadable" });
      return whole;
    },
  });

  /** Nothing that a runtime would read on its own: what an ONNX file refers to has to be listed with its variant. */
  const checkReferences = async ({ manifest }: SignedManifest): Promise<void> => {
    for (const { file, externalData = [] } of manifest.variants) {
      const unlisted = onnxReferences(await verified({ manifest, signatures: [] }).read(file)).filter((path) => !externalData.includes(path));
      if (unlisted.length > 0) throw new SednaError(`install ${manifest.name} ${manifest.version}: expected ${file} to refer to ${externalData.join(", ") || "no files"}; got ${unlisted.map((path) => JSON.stringify(path)).join(", ")}`, { code: "model-mismatch" });
    }
  };

  const install: ModelStore["install"] = ({ signal, onProgress } = {}) =>
    turns.run(async () => {
      const { signed, known } = await check(signal);
      const { files, version } = signed.manifest;
      const total = files.reduce((sum, { size }) => sum + size, 0);
      let before = 0;
      for (const file of files) {
        const progress = (done: number): void => onProgress?.({ done: before + done, total });
        await downloadFile({ url: new URL(file.path, manifestUrl).href, file, bytes, fetch, signal: signal ?? new AbortController().signal, onProgress: progress, ...(random && { random }), ...(stallMs && { stallMs }) });
        before += file.size;
        progress(0);
      }
      await checkReferences(signed);
      if (!known.versions.some((one) => one.signed.manifest.version === version)) await save(prune({ ...known, versions: [...known.versions, { state: "installed", trials: 0, signed }] }));
      await sweep();
      return verified(signed);
    });

  /** Takes out the files that no version needs any more. Its own death halfway leaves files, never gaps. */
  const sweep = async (): Promise<void> => {
    const needed = new Set((await state()).versions.filter(({ state }) => state !== "bad").flatMap(({ signed }) => signed.manifest.files.map(({ sha256 }) => sha256)));
    const stored = new Set((await bytes.keys()).filter((key) => key.startsWith("blob-")).map((key) => key.slice(5, 69)));
    for (const hash of stored) if (!needed.has(hash)) await discardFile(bytes, { sha256: hash });
  };

  /** The first of these versions whose files are all as they were. */
  const whole = async (candidates: readonly StoredVersion[]): Promise<VerifiedModel | undefined> => {
    for (const { signed } of candidates) {
      const intact = await Promise.all(signed.manifest.files.map(async (file) => (await readFile(bytes, file)) !== undefined));
      if (intact.every(Boolean)) return verified(signed);
      onDamage?.(new SednaError(`read ${signed.manifest.name} ${signed.manifest.version}: expected the files that were verified; got some that are gone or were changed`, { code: "model-unreadable" }));
    }
    return undefined;
  };
  const newestFirst = async (): Promise<StoredVersion[]> => (await state()).versions.toSorted((a, b) => b.signed.manifest.version - a.signed.manifest.version);

  return {
    check: ({ signal } = {}) => turns.run(async () => (await check(signal)).signed.manifest),
    install,
    current: () =>
      turns.run(async () => {
        const all = await newestFirst();
        return whole([...all.filter(({ state }) => state === "good"), ...all.filter(({ state }) => state === "installed" || state === "trial")]);
      }),
    lastGood: () => turns.run(async () => whole((await newestFirst()).filter(({ state }) => state === "good"))),
    mark: (version, mark) =>
      turns.run(async () => {
        const known = await state();
        if (!known.versions.some(({ signed }) => signed.manifest.version === version)) throw new RangeError(`mark a version ${mark}: expected one that is installed; got ${version}`);
        const versions = known.versions.map((one) => (one.signed.manifest.version === version ? { ...one, state: mark, trials: one.trials + (mark === "trial" ? 1 : 0) } : one));
        await save(prune({ ...known, versions }));
        await sweep();
      }),
    versions: () => turns.run(async () => (await state()).versions.map(({ state, trials, signed }) => ({ version: signed.manifest.version, state, trials }))),
  };
}

/** The newest version, the last good ones, and what is known to be bad; of the rest nothing is kept. */
function prune(state: StoreState): StoreState {
  const newest = Math.max(...state.versions.map(({ signed }) => signed.manifest.version));
  const good = state.versions.filter((one) => one.state === "good").toSorted((a, b) => b.signed.manifest.version - a.signed.manifest.version);
  const kept = new Set(good.slice(0, GOOD_KEPT));
  const keep = (one: StoredVersion): boolean => one.signed.manifest.version === newest || kept.has(one) || isUnderTrial(one.state);
  return { ...state, versions: state.versions.filter(keep) };
}

function isUnderTrial(state: VersionState): boolean {
  return state === "trial";
}

function alike(a: ModelManifest, b: ModelManifest): boolean {
  const [one, other] = [canonicalJson(a), canonicalJson(b)];
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
