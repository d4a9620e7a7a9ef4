import type { CheckedSpec } from "../image-to-tensor-spec.ts";
import type { ImageStore } from "../image-to-tensor.ts";
import type { LetterboxPlan } from "../letterbox-plan.ts";
import type { PerceptionMemory } from "./perception-exports.ts";

/** `PlanFields` in `rust/src/abi/perception.rs`: twelve words, then six floats. */
const PLAN_WORDS = 12;
const PLAN_BYTES = 4 * (PLAN_WORDS + 6);

/**
 * Creates the storage of one converter in kernel memory: the tensor is allocated once, the image and its
 * tables once per image size.
 */
export function wasmImageStore(memory: PerceptionMemory, spec: CheckedSpec): ImageStore {
  const values = 3 * spec.tensor.width * spec.tensor.height;
  let tensor = memory.allocate(4 * values);
  let source = 0;
  let sourceBytes = 0;
  let rowBytes = 0;
  let plan = 0;

  const release = () => {
    if (source !== 0) memory.free(source);
    if (plan !== 0) memory.free(plan);
    source = plan = sourceBytes = 0;
  };

  return {
    prepare(next) {
      release();
      rowBytes = 4 * next.source.width;
      const bytes = rowBytes * next.source.height;
      // Four extra bytes: an image that is one pixel wide is read past its end, with weight 0.
      source = memory.allocate(bytes + 4);
      sourceBytes = bytes;
      plan = writePlan(memory, spec, next);
    },
    source: () => memory.clamped(source, sourceBytes),
    tensor: () => memory.floats(tensor, tensor === 0 ? 0 : values),
    convert() {
      memory.exports.image_to_tensor(plan, source, sourceBytes + 4, rowBytes, tensor);
    },
    dispose() {
      release();
      if (tensor !== 0) memory.free(tensor);
      tensor = 0;
    },
  };
}

/** Writes the tables and fields of the plan into one block and returns its address. */
function writePlan(memory: PerceptionMemory, spec: CheckedSpec, plan: LetterboxPlan): number {
  const tables = [plan.columns, plan.horizontal, plan.rows, plan.vertical];
  const bytes = tables.reduce((sum, table) => sum + table.byteLength, PLAN_BYTES);
  const address = memory.allocate(bytes);
  let next = address + PLAN_BYTES;
  const addresses = tables.map((table) => {
    memory
      .bytes(next, table.byteLength)
      .set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength));
    next += table.byteLength;
    return next - table.byteLength;
  });
  memory
    .words(address, PLAN_WORDS)
    .set([
      ...addresses,
      plan.content.width,
      plan.content.height,
      plan.left,
      plan.top,
      spec.tensor.width,
      spec.tensor.height,
      spec.interleaved ? 1 : 0,
      spec.bgr ? 1 : 0,
    ]);
  memory.floats(address + 4 * PLAN_WORDS, 6).set([...spec.scale, ...spec.bias]);
  return address;
}
