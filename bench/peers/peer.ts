import { messageOf } from "@sedna-js/core/errors";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** Rows of unit length, one after the other: `values[count * dimensions]`. */
export interface Gallery {
  readonly values: Float32Array;
  readonly count: number;
  readonly dimensions: number;
}

/** Rows of the gallery's dimensions and unit length. */
export interface Queries {
  readonly values: Float32Array;
  readonly count: number;
}

/**
 * A contestant of the matching benchmark, ready to run: each query's {@link TOP} best rows of the gallery.
 */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** Threads, instructions and the layout of its data, in a sentence. */
  readonly layout: string;
  /** All queries once. Where it gives a promise, the work is done when that is fulfilled. */
  run(): Promise<void> | void;
  /** Rows that the last run found for the first query, best first. */
  top(): number[];
  /** Gives the memory back as far as the library can. */
  dispose(): void | Promise<void>;
}

/** A contestant that can't run here. */
export interface MissingPeer {
  readonly name: string;
  readonly reason: string;
}

/** Makes a contestant, or says why not. */
export type PeerFactory = (gallery: Gallery, queries: Queries) => Promise<Peer | MissingPeer>;

/** Rows to find for each query; all where the gallery has fewer. */
export const TOP = 10;

/** Is the contestant missing? */
export function isMissing(peer: object): peer is MissingPeer {
  return "reason" in peer;
}

/** A package of bench/peers, loaded where it is installed. */
export interface PeerModule<T> {
  readonly module: T;
  readonly version: string;
}

const require = createRequire(import.meta.url);

/**
 * Loads a package that `npm run bench -- peers` installs. The caller says what it uses of it: the root
 * doesn't have its types.
 * @throws {Error} when it is not installed, or doesn't load on this machine.
 */
export function loadPeer<T>(name: string): PeerModule<T> {
  const module = require(name) as T;
  return { module, version: packageVersion(name) };
}

/** The version in an installed package's package.json. Read from the folder: `exports` may hide the file. */
export function packageVersion(name: string): string {
  const file = require.resolve
    .paths(name)!
    .map((folder) => `${folder}/${name}/package.json`)
    .map(read)
    .find((text) => text !== undefined);
  if (file === undefined) throw new Error(`read the version of ${name}: expected it to be installed`);
  return (JSON.parse(file) as { version: string }).version;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Runs a factory's body; what it throws becomes the reason. */
export async function peerOrReason(name: string, make: () => Promise<Peer>): Promise<Peer | MissingPeer> {
  try {
    return await make();
  } catch (error) {
    const [first = "unknown"] = messageOf(error).split("\n");
    const missing = (error as { code?: string }).code === "MODULE_NOT_FOUND";
    return { name, reason: missing ? `${first}; install it by npm run bench -- peers` : first };
  }
}

/** The widest vectors of this processor that native peers can choose: as /proc/cpuinfo says, else unknown. */
export function vectorLevel(): string {
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(read("/proc/cpuinfo") ?? "")?.[1]?.split(" ") ?? [];
  return ["avx512f", "avx2", "avx", "asimd"].find((flag) => flags.includes(flag)) ?? "unknown vectors";
}
