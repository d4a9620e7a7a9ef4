import { SednaError, type EstimatorMetadata, type ModelManifest, type TensorSpec } from "@sedna-js/core";

/**
 * Checks that a model which was opened takes and gives what its manifest promises; where it lists nothing, as for a model
 * without a signature, it promises nothing.
 * @throws {SednaError} `model-mismatch` naming the input or output that differs.
 */
export function checkContract(
  { name, version, inputs, outputs }: ModelManifest,
  metadata: Pick<EstimatorMetadata, "inputs" | "outputs">,
): void {
  const check = (what: string, promised: readonly TensorSpec[], given: readonly TensorSpec[]): void => {
    const words = (specs: readonly TensorSpec[]): string =>
      specs
        .map((spec) => `${spec.name} ${spec.dtype} [${spec.shape}]`)
        .toSorted()
        .join(", ") || "none";
    if (promised.length > 0 && words(promised) !== words(given))
      throw new SednaError(
        `open ${name} ${version}: expected the ${what} ${words(promised)}; got ${words(given)}`,
        { code: "model-mismatch" },
      );
  };
  check("inputs", inputs, metadata.inputs);
  check("outputs", outputs, metadata.outputs);
}
