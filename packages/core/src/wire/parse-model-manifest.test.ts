import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keySetFile, manifestOf, signingKey } from "../../../../testing/servers/model-publisher.ts";
import { WireError } from "../errors.ts";
import { parseSignedKeySet, parseSignedManifest, readPublicKey } from "./parse-model-manifest.ts";

const key = await signingKey("owner-2026");
const manifest = {
  ...(await manifestOf({
    version: 3,
    content: {
      "m.onnx": Uint8Array.of(1, 2),
      "w.bin": Uint8Array.of(3),
      "in.st": Uint8Array.of(4),
      "out.st": Uint8Array.of(5),
    },
  })),
  rollbackOf: 2,
  variants: [
    { file: "m.onnx", externalData: ["w.bin"], executionProviders: ["webgpu", "wasm"], precision: "float16" },
  ],
  task: { name: "heatmap", options: { threshold: 0.5, nested: [{ deep: true }] } },
  labels: ["person", "Fußgänger"],
  thresholds: { threshold_img: 0.9 },
  golden: [{ inputs: "in.st", outputs: "out.st", tolerance: { absolute: 0.001, relative: 0 } }],
};
const signatures = [await key.sign(manifest)];
const bytesOf = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const parsed = (change: object): unknown =>
  parseSignedManifest(bytesOf({ manifest: { ...manifest, ...change }, signatures }));
const [file] = manifest.files;
const [variant] = manifest.variants;
const [golden] = manifest.golden;

describe("parseSignedManifest()", () => {
  it("returns all fields of the manifest", () => {
    expect(parseSignedManifest(bytesOf({ manifest, signatures }))).toEqual({ manifest, signatures });
  });

  it.each([
    [
      "another format",
      { format: "sedna-model/2" },
      'read manifest.format: expected sedna-model/1; got "sedna-model/2"',
    ],
    ["version 0", { version: 0 }, "read manifest.version: expected a whole number from 1"],
    ["version 1.5", { version: 1.5 }, "read manifest.version"],
    [
      "a rollback of a later version",
      { rollbackOf: 3 },
      "read manifest.rollbackOf: expected a whole number from 1 to 2; got 3",
    ],
    ["a name with a folder", { name: "a/b" }, "read manifest.name"],
    ["no files", { files: [] }, "read manifest.files: expected a list of 1"],
    ["a file in a folder", { files: [{ ...file, path: "../m.onnx" }] }, "read manifest.files[0].path"],
    ["a file with dots in a row", { files: [{ ...file, path: "a..b" }] }, "read manifest.files[0].path"],
    ["a hidden file", { files: [{ ...file, path: ".m" }] }, "read manifest.files[0].path"],
    [
      "a file name with a line break",
      { files: [{ ...file, path: "m.onnx\n" }] },
      "read manifest.files[0].path",
    ],
    [
      "a hash in upper case",
      { files: [{ ...file, sha256: "A".repeat(64) }] },
      "read manifest.files[0].sha256",
    ],
    ["an empty file", { files: [{ ...file, size: 0 }] }, "read manifest.files[0].size"],
    ["a file twice", { files: [file, file] }, "m.onnx twice"],
    [
      "files that are too large in total",
      {
        files: [
          { ...file, size: 2 ** 32 },
          { ...manifest.files[1], size: 1 },
        ],
      },
      "at most 4294967296 bytes in all",
    ],
    [
      "a variant of an unlisted file",
      { variants: [{ ...variant, file: "x.onnx" }] },
      "read manifest.variants[0].file: expected the path of a file that the manifest lists",
    ],
    [
      "external data in an unlisted file",
      { variants: [{ ...variant, externalData: ["../w.bin"] }] },
      "read manifest.variants[0].externalData[0]",
    ],
    [
      "an unknown execution provider",
      { variants: [{ ...variant, executionProviders: ["cuda"] }] },
      "expected one of webgpu, wasm, cpu",
    ],
    ["a variant with an unknown field", { variants: [{ ...variant, url: "http://x" }] }, 'got "url"'],
    [
      "a golden case in an unlisted file",
      { golden: [{ ...golden, outputs: "x" }] },
      "read manifest.golden[0].outputs",
    ],
    [
      "a negative tolerance",
      { golden: [{ ...golden, tolerance: { absolute: -1, relative: 0 } }] },
      "tolerance.absolute: expected a number from 0 up; got -1",
    ],
    [
      "a shape below -1",
      { inputs: [{ name: "x", dtype: "float32", shape: [-2] }] },
      "read manifest.inputs[0].shape[0]",
    ],
    [
      "an unknown dtype",
      { inputs: [{ name: "x", dtype: "bfloat16", shape: [] }] },
      "read manifest.inputs[0].dtype",
    ],
    ["an input twice", { inputs: [manifest.inputs[0], manifest.inputs[0]] }, "x twice"],
    ["a threshold that is not a number", { thresholds: { a: "0.9" } }, "read manifest.thresholds.a"],
    ["an unknown field", { surprise: 1 }, 'got "surprise"'],
  ])("refuses %s", (_, change, message) => {
    expect(() => parsed(change)).toThrow(WireError);
    expect(() => parsed(change)).toThrow(message);
  });

  it("C27: rejects a name that reaches a prototype, at any depth", () => {
    const json = JSON.stringify({ manifest, signatures });
    for (const place of ['"threshold":', '"deep":', '"threshold_img":', '"name":"heatmap",']) {
      for (const name of ["__proto__", "constructor", "prototype"])
        expect(() =>
          parseSignedManifest(bytesOf(json.replace(place, `"${name}":{"polluted":1},${place}`))),
        ).toThrow(WireError);
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("rejects a duplicate name, which two parsers may read differently", () => {
    expect(() =>
      parseSignedManifest(
        bytesOf(JSON.stringify({ manifest, signatures }).replace('"version":3', '"version":3,"version":4')),
      ),
    ).toThrow('got "version" again');
  });

  it("rejects missing and malformed signatures", () => {
    for (const bad of [
      [],
      [{ keyId: "a", value: "AAAA" }],
      [{ ...signatures[0], keyId: "" }],
      Array(21).fill(signatures[0]),
    ]) {
      expect(() => parseSignedManifest(bytesOf({ manifest, signatures: bad }))).toThrow(WireError);
    }
  });

  it("C27: rejects ten megabytes and deep nesting quickly", () => {
    const deep = JSON.stringify({
      manifest: { ...manifest, task: { name: "t", options: { a: 0 } } },
      signatures,
    }).replace('"a":0', `"a":${"[".repeat(400_000)}${"]".repeat(400_000)}`);
    for (const given of [" ".repeat(10_000_000), "[".repeat(1_000_000), deep].map(bytesOf)) {
      const before = process.cpuUsage();
      expect(() => parseSignedManifest(given)).toThrow(WireError);
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
    }
  });
});

describe("parseSignedKeySet()", () => {
  it("returns the keys", async () => {
    const { id, publicKey } = key;
    expect(parseSignedKeySet(await keySetFile(key, { version: 2, keys: [key] }))).toMatchObject({
      keySet: { format: "sedna-keys/1", version: 2, keys: [{ id, publicKey }] },
    });
  });

  it.each([
    ["no keys", { version: 1, keys: [] }],
    ["a key twice", { version: 1, keys: [key, key] }],
    ["version 0", { version: 0, keys: [key] }],
    ["a key of 31 bytes", { version: 1, keys: [{ id: "a", publicKey: btoa("x".repeat(31)) }] }],
  ])("refuses %s", async (_, keySet) => {
    const given = await keySetFile(key, keySet);
    expect(() => parseSignedKeySet(given)).toThrow(WireError);
  });

  it("reads a public key, and rejects malformed ones", () => {
    expect(readPublicKey({ id: key.id, publicKey: key.publicKey })).toEqual({
      id: key.id,
      publicKey: key.publicKey,
    });
    for (const bad of [
      undefined,
      {},
      { id: "a" },
      { id: "a b", publicKey: key.publicKey },
      { id: "a", publicKey: "ä".repeat(44) },
    ])
      expect(() => readPublicKey(bad)).toThrow(WireError);
  });
});

it("parsers of manifests and key sets throw nothing but WireError for prefixes, flipped bits and any JSON", async () => {
  const files = [bytesOf({ manifest, signatures }), await keySetFile(key, { version: 2, keys: [key] })];
  const readBoth = (given: Uint8Array): number => {
    let taken = 0;
    for (const parse of [parseSignedManifest, parseSignedKeySet]) {
      try {
        parse(given);
        taken++;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    }
    return taken;
  };
  for (const whole of files) {
    for (let length = 0; length < whole.length; length++) {
      if (readBoth(whole.subarray(0, length)) > 0)
        throw new Error(`a prefix of ${length} bytes was accepted`);
    }
    // The step has no common factor with 8, so that every bit of a byte is covered.
    for (let bit = 0; bit < 8 * whole.length; bit += 3)
      readBoth(whole.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit % 8)) : byte)));
  }
  fc.assert(fc.property(fc.json(), (json) => void readBoth(bytesOf(json))));
  const anywhere = fc.record({
    manifest: fc.record(
      Object.fromEntries(
        Object.entries(manifest).map(([name, value]) => [
          name,
          fc.oneof(fc.constant(value as unknown), fc.jsonValue()),
        ]),
      ),
    ),
    signatures: fc.oneof(fc.constant(signatures as unknown), fc.jsonValue()),
  });
  fc.assert(fc.property(anywhere, (given) => void readBoth(bytesOf(given))));
}, 60_000);
