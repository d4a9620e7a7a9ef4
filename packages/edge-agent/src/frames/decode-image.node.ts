import type { Frame } from "@sedna-js/core";
import { decodeWithSharp, type SharpModule } from "@sedna-js/core/adapters/sharp";
import { importOptional } from "@sedna-js/core/errors";

/** Imports `sharp` when the first image is decoded or encoded. */
export async function importSharp(): Promise<SharpModule> {
  const { default: sharp } = await importOptional("sharp", {
    action: "read pictures in Node",
    load: () => import("sharp"),
  });
  return sharp as unknown as SharpModule;
}

/** Decodes an image file with `sharp`. */
export function decodeImage(bytes: Uint8Array): Promise<Frame> {
  return decodeWithSharp(bytes, importSharp);
}
