import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readPublicKey, type PublicKey } from "@sedna-js/core/wire";
import { defineCommand } from "citty";
import { wholeNumber } from "./command-args.ts";
import { checkArgs } from "@sedna-js/core/check";
import { replace } from "../models/publish-model.node.ts";
import { createSigningKey, readSigningKey, signKeySet } from "../models/signing-key.node.ts";
import { UsageError } from "@sedna-js/core/check";

const keygenArgs = {
  out: {
    type: "string",
    description: "Directory for the private and the public key",
    valueHint: "directory",
  },
} as const;

/** `sedna-cloud keygen`: creates a key pair for signing models. Only the owner can read the private file. */
export const keygenCommand = defineCommand({
  meta: {
    name: "sedna-cloud keygen",
    description: "Create a key pair for signing models; prints the public key, for the edges' jobs",
  },
  args: keygenArgs,
  async run({ args: given }) {
    checkArgs(given, keygenArgs);
    if (!given.out) throw new UsageError("--out: expected a directory; got none");
    const { key, pem } = createSigningKey();
    const publicKey = `${JSON.stringify({ id: key.id, publicKey: key.publicKey })}\n`;
    await mkdir(given.out, { recursive: true, mode: 0o700 });
    // Never overwrite an existing key: devices may trust it.
    for (const file of [
      { path: "private.pem", data: pem, mode: 0o600 },
      { path: "public.json", data: publicKey, mode: 0o644 },
    ]) {
      await writeFile(join(given.out, file.path), file.data, { mode: file.mode, flag: "wx" }).catch(
        (error: Error) => {
          throw new UsageError(`--out: expected a directory without a key; got ${error.message}`);
        },
      );
    }
    process.stdout.write(publicKey);
  },
});

const trustArgs = {
  keys: {
    type: "string",
    description: "Public keys to trust from now on, as keygen wrote them, separated by commas",
    valueHint: "files",
  },
  version: {
    type: "string",
    description: "Whole number above the version of the previous set; the first version is 1",
  },
  key: { type: "string", description: "Private key that edges trust at present", valueHint: "file" },
  out: { type: "string", description: "The model's own folder", valueHint: "directory" },
} as const;

/** `sedna-cloud trust`: replaces the keys that edges trust. */
export const trustCommand = defineCommand({
  meta: {
    name: "sedna-cloud trust",
    description: "Replace the keys that edges trust, signed with a key that they trust at present",
  },
  args: trustArgs,
  async run({ args: given }) {
    checkArgs(given, trustArgs);
    for (const name of ["keys", "version", "key", "out"] as const)
      if (!given[name]) throw new UsageError(`--${name}: expected a value; got none`);
    const keys: PublicKey[] = [];
    for (const path of given.keys!.split(","))
      keys.push(readPublicKey(asJson(await readOptionFile("keys", path.trim())), path));
    const signer = readSigningKey(await readOptionFile("key", given.key!));
    const signed = signKeySet(
      { format: "sedna-keys/1", version: wholeNumber("version", given.version!), keys },
      signer,
    );
    await mkdir(given.out!, { recursive: true });
    await replace(given.out!, {
      path: "keys.json",
      data: new TextEncoder().encode(`${JSON.stringify(signed, undefined, 2)}\n`),
    });
    process.stdout.write(
      `${JSON.stringify({ version: signed.keySet.version, keys: keys.map(({ id }) => id) })}\n`,
    );
  },
});

/**
 * Returns the text of a file that the command line names.
 * @throws {UsageError} If the file cannot be read.
 */
export async function readOptionFile(option: string, path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: Error) => {
    throw new UsageError(`--${option}: expected a file to read; got ${error.message}`);
  });
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Do not include the parser's message: it may quote the file, which may be a private key given by
    // mistake.
    throw new UsageError("--keys: expected the public keys that keygen wrote; got a file that is not JSON");
  }
}
