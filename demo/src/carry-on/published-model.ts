import type { Tensors } from "@sedna-js/core";
import {
  canonicalJson,
  type ModelManifest,
  type SignedManifest,
  toHex,
  writeSafetensors,
} from "@sedna-js/core/wire";

/** The parts of a published model. */
export interface ModelParts {
  readonly version: number;
  readonly model: Uint8Array<ArrayBuffer>;
  /** Inputs of the golden case and the expected outputs. */
  readonly golden: { readonly inputs: Tensors; readonly outputs: Tensors };
}

/** A model as a server stores it: the manifest, and its files by path. */
export interface PublishedModel {
  readonly manifest: ModelManifest;
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

/** The shapes of tiny-person. See models/tiny-person/README.md. */
const INPUT = [1, 3, 216, 288];
const OUTPUTS = { heatmap: [1, 1, 27, 36], ltrb: [1, 4, 27, 36] };

/**
 * Execution providers round differently: heatmaps differ by thousandths, distances in pixels in proportion to
 * their size.
 */
const TOLERANCE = { absolute: 0.02, relative: 0.02 };

/**
 * Creates the manifest and the files of a version of the little model. File names contain the version, so
 * that no cache mixes up versions.
 */
export async function publishedModel({ version, model, golden }: ModelParts): Promise<PublishedModel> {
  const names = {
    model: `tiny-person-${version}.onnx`,
    inputs: `golden-inputs-${version}.safetensors`,
    outputs: `golden-outputs-${version}.safetensors`,
  };
  const files = {
    [names.model]: model,
    [names.inputs]: writeSafetensors({ tensors: golden.inputs }),
    [names.outputs]: writeSafetensors({ tensors: golden.outputs }),
  };
  const listed = Object.entries(files).map(async ([path, bytes]) => ({
    path,
    size: bytes.length,
    sha256: await sha256(bytes),
  }));
  const manifest: ModelManifest = {
    format: "sedna-model/1",
    name: "tiny-person",
    version,
    files: await Promise.all(listed),
    variants: [{ file: names.model, executionProviders: ["webgpu", "wasm"], precision: "float32" }],
    inputs: [{ name: "image", dtype: "float32", shape: INPUT }],
    outputs: Object.entries(OUTPUTS).map(([name, shape]) => ({ name, dtype: "float32", shape })),
    task: { name: "heatmap", options: { threshold: 0.05, iouThreshold: 0.5 } },
    labels: ["person"],
    license: "Apache-2.0",
    thresholds: { upload_ratio: 0.2 },
    golden: [{ inputs: names.inputs, outputs: names.outputs, tolerance: TOLERANCE }],
  };
  return { manifest, files };
}

/** Signs the canonical bytes of a manifest. */
export async function signManifest(
  manifest: ModelManifest,
  { keyId, key }: { readonly keyId: string; readonly key: CryptoKey },
): Promise<SignedManifest> {
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, canonicalJson(manifest)));
  return { manifest, signatures: [{ keyId, value: base64(signature) }] };
}

/** Encodes bytes as base64, for keys and signatures. */
export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return toHex(digest);
}
