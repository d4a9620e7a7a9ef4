import type { ModelManifest, ModelVariant } from "@sedna-js/core/wire";
import type { Backend } from "./supervised-model.ts";

/**
 * Returns the variants of a model that a backend can run, in the order of the manifest. `cloud` runs none.
 */
export function variantsFor(
  { variants }: Pick<ModelManifest, "variants">,
  backend: Backend,
): readonly ModelVariant[] {
  return variants.filter(
    ({ executionProviders }) => backend !== "cloud" && executionProviders.includes(backend),
  );
}

/**
 * Returns the first of {@link variantsFor} that this device can run: on WebGPU, float16 requires
 * `shader-f16`.
 */
export function selectVariant(
  manifest: Pick<ModelManifest, "variants">,
  { backend, shaderF16 }: { readonly backend: Backend; readonly shaderF16: boolean },
): ModelVariant | undefined {
  return variantsFor(manifest, backend).find(
    ({ precision }) => backend !== "webgpu" || precision !== "float16" || shaderF16,
  );
}
