import type { Figure, Goal } from "../result.ts";
import { figureTable, goalTable } from "../docs/tables.ts";

/**
 * Returns the kernels' section of docs/bench.md. The stated causes were found in the generated code and by
 * counting bytes; the figures are those of the run.
 */
export function kernelsSection({
  goals,
  figures,
}: {
  readonly goals: readonly Goal[];
  readonly figures: readonly Figure[];
}): string {
  return `## Kernels

\`npm run bench -- goals kernels --json\`

Everything runs on one thread. Ours is WebAssembly simd128 in Node, with 128-bit vectors; native peers use the processor's widest vectors, which each line names. Peers use their best layout: ONNX Runtime and TensorFlow.js the faster of two orders of multiplication with the gallery prepared beforehand, hnswlib as published and as compiled for this machine. numpy's contestants run in a separate Python process and measure their own time.

${goalTable(goals)}

- fedavg: ten clients of 1e7 weights, resident. over-read is the time over reading the same bytes without further work.
- cosine: 512 dimensions, the ten best rows. cosine.int8 is at 1e5 rows. batch-peak is the fraction of the simd128 multiply-and-add peak that a loop on registers alone reaches in the same run.
- hem: scores resident in kernel memory, as numpy's are in its own.
- boundary.growth: growth of the heap in bytes over 1e4 calls of a steady state (listed in the lines \`boundary\` below), after warm-up and garbage collection, and of kernel memory over 1e5 calls.
- A line \`-tuned\` is an additional goal of this project: to be no slower than the best form of the peer that we found, even if that form is unusual.

### What the limits are

- **FedAvg** is limited by memory: it takes hardly longer than reading its input. numpy's multiply-and-add in place reads and writes the result once for each client; in blocks that fit the cache it reads less, and one BLAS call on updates stacked into one matrix is at the limit of the memory, as ours is. Nothing can be 2.5 times faster than that.
- **One query** is limited by memory too. The scan reads both halves of the gallery as two streams, because a processor prefetches two streams faster than one: by a seventh from memory, by a quarter from the cache. That is why it can be faster than the read-only pass, which is one stream.
- **Sixteen queries, f32**: eight sums, two loads, and a broadcast in registers. More would spill: V8 moves all loads to the start of a loop's body. ONNX Runtime's 512-bit vectors do four times as much per instruction.
- **Sixteen queries, int8**: an inner iteration is 8 multiply-and-add-pairs, 8 additions, 2 widening loads, and 4 broadcasts for 128 products; at four vector instructions per cycle that is the processor's limit. Relaxed SIMD has one instruction for what takes two here, and no widening. Two iterations at once were slower (2.1 instead of 1.7 ms, and 1.4 instead of 0.76 with relaxed SIMD), because they spill. Keeping panels in the cache for all sixteen queries gained nothing at this size. ONNX Runtime's time is that of its better layout, rows times transposed queries, the faster of the two here.
- **IBT**: about two thirds of the time are the kernel, the rest is checking and copying the offsets.
- **CrossEntropy** is limited by arithmetic, a logarithm and a division per value, for which numpy has 512-bit vectors.
- **Training**: 154 million operations take 2.3 ms at the peak of simd128; ours takes about twice that, and half as much again for checking and copying the samples. The goal compares with \`model.fit\`, the way most apps train with TensorFlow.js; its time is mostly its own bookkeeping. The same steps through its core API, and with a hand-written gradient, have separate lines.

### All figures

${figureTable(figures)}`;
}
