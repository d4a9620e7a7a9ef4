import { loadKernels, referenceKernels } from "@sedna-js/wasm-kernels";
import { expectClose, noise, type EngineCheck } from "./engine-check.ts";

/** Checks of the WASM kernels against their reference implementation in TypeScript. */
export const kernelChecks: readonly EngineCheck[] = [
  {
    name: "the kernels load as WebAssembly and match the reference kernels in cross-entropy",
    async run() {
      const kernels = await loadKernels();
      const twin = referenceKernels();
      if (!kernels.backend.startsWith("wasm"))
        throw new Error(`expected WebAssembly; got ${kernels.backend}`);
      const probabilities = noise(4 * 1003, 1).map(
        (one, i, all) =>
          one /
          (all[4 * (i >> 2)]! + all[4 * (i >> 2) + 1]! + all[4 * (i >> 2) + 2]! + all[4 * (i >> 2) + 3]!),
      );
      const question = { probabilities, classes: 4, threshold: 0.3 };
      expectClose(kernels.crossEntropy(question), twin.crossEntropy(question), 0);
      kernels.dispose();
      return kernels.backend;
    },
  },
  {
    name: "the kernels match the reference kernels in non-maximum suppression and vector search",
    async run() {
      const kernels = await loadKernels();
      const twin = referenceKernels();
      const boxes = noise(4 * 203, 2).map((one, i) => 100 * one + (i % 4 > 1 ? 60 : 0));
      const question = { boxes, scores: noise(203, 3), iouThreshold: 0.5 };
      expectClose(kernels.nms(question), twin.nms(question), 0);
      const [ours, theirs] = [kernels, twin].map((one) => {
        const gallery = one.gallery({ dimensions: 67 });
        gallery.set(
          Array.from({ length: 205 }, (_, i) => i),
          noise(67 * 205, 4),
        );
        return gallery.match({ queries: noise(67 * 3, 5), k: 5 }).flat();
      });
      expectClose(
        ours!.map(({ id }) => Number(id)),
        theirs!.map(({ id }) => Number(id)),
        0,
      );
      expectClose(
        ours!.map(({ score }) => score),
        theirs!.map(({ score }) => score),
        0,
      );
      kernels.dispose();
    },
  },
];
