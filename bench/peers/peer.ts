import { messageOf } from "@sedna-js/core/errors";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** Rows of unit length, concatenated: `values[count * dimensions]`. */
export interface Gallery {
  readonly values: Float32Array;
  readonly count: number;
  readonly dimensions: number;
}

/** Queries of unit length, with the gallery's dimensions. */
export interface Queries {
  readonly values: Float32Array;
  readonly count: number;
}

/**
 * A contestant of the matching benchmark that is ready to run: finds each query's {@link TOP} best rows of
 * the gallery.
 */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** Threads, instruction set, and data layout, as a phrase. */
  readonly layout: string;
  /** Runs all queries once. If it returns a promise, the work is done when the promise is fulfilled. */
  run(): Promise<void> | void;
  /** Returns the rows that the last run found for the first query, best first. */
  top(): number[];
  /** Releases the memory as far as the library allows. */
  dispose(): void | Promise<void>;
}

/** A contestant that cannot run here. */
export interface MissingPeer {
  readonly name: string;
  readonly reason: string;
}

/** Creates a contestant, or returns the reason why it cannot. */
export type PeerFactory = (gallery: Gallery, queries: Queries) => Promise<Peer | MissingPeer>;

/** Number of rows to find per query, or all rows of a smaller gallery. */
export const TOP = 10;

/** Returns whether the contestant is missing. */
export function isMissing(peer: object): peer is MissingPeer {
  return "reason" in peer;
}

/** A loaded package of bench/peers. */
export interface PeerModule<T> {
  readonly module: T;
  readonly version: string;
}

const require = createRequire(import.meta.url);

/**
 * Loads a package that `npm run bench -- peers` installs. The caller declares the types that it uses, because
 * the root does not have the package's types.
 *
 * @throws {Error} If the package is not installed or cannot be loaded on this machine.
 */
export function loadPeer<T>(name: string): PeerModule<T> {
  const module = require(name) as T;
  return { module, version: packageVersion(name) };
}

/**
 * Returns the version in an installed package's package.json. Reads the file from its folder, because
 * `exports` may hide it.
 */
export function packageVersion(name: string): string {
  const file = require.resolve
    .paths(name)!
    .map((folder) => `${folder}/${name}/package.json`)
    .map(read)
    .find((text) => text !== undefined);
  if (file === undefined)
    throw new Error(`read the version of ${name}: expected an installed package; got no package.json`);
  return (JSON.parse(file) as { version: string }).version;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Calls `make` and converts an error to the reason of a missing peer. */
export async function peerOrReason(name: string, make: () => Promise<Peer>): Promise<Peer | MissingPeer> {
  try {
    return await make();
  } catch (error) {
    const [first = "unknown"] = messageOf(error).split("\n");
    const missing = (error as { code?: string }).code === "MODULE_NOT_FOUND";
    return { name, reason: missing ? `${first}; install it with npm run bench -- peers` : first };
  }
}

/**
 * Returns the widest vector extension of this processor that native peers can use, from /proc/cpuinfo, or
 * "unknown vectors".
 */
export function vectorLevel(): string {
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(read("/proc/cpuinfo") ?? "")?.[1]?.split(" ") ?? [];
  return ["avx512f", "avx2", "avx", "asimd"].find((flag) => flags.includes(flag)) ?? "unknown vectors";
}
