import type { ModelManifest, ModelVariant } from "@sedna-js/core";
import type { Rung } from "./supervised-model.ts";

/** The variants of a model that a rung may run, in the order of the manifest; none on `cloud`. */
export function variantsFor(
  { variants }: Pick<ModelManifest, "variants">,
  rung: Rung,
): readonly ModelVariant[] {
  return variants.filter(({ executionProviders }) => rung !== "cloud" && executionProviders.includes(rung));
}

/** The best of {@link variantsFor} that this device can run: on WebGPU float16 asks for `shader-f16`. */
export function chooseVariant(
  manifest: Pick<ModelManifest, "variants">,
  { rung, shaderF16 }: { readonly rung: Rung; readonly shaderF16: boolean },
): ModelVariant | undefined {
  return variantsFor(manifest, rung).find(
    ({ precision }) => rung !== "webgpu" || precision !== "float16" || shaderF16,
  );
}
