import type { Tensors } from "@sedna-js/core";
import { onnxEstimator, tensors } from "@sedna-js/edge-agent";
import { afterEach, describe, expect, it } from "vitest";
import { estimatorSuite } from "../../../../testing/suites/estimator-suite.ts";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { createModelSlot } from "./create-model-slot.ts";

const x = (...data: number[]): Tensors => ({
  x: { dtype: "float32", shape: [1, 4], data: Float32Array.from(data) },
});
const tiny = (op: string) => onnxEstimator({ model: tinyOnnx({ op }), task: tensors() });
const open: { dispose(): Promise<void> }[] = [];
const slotWith = (op: string) => {
  const slot = createModelSlot<Tensors, Tensors, ReturnType<typeof tiny>>(tiny(op));
  open.push(slot);
  return slot;
};
afterEach(async () => {
  for (const slot of open.splice(0)) await slot.dispose();
});
const first = (outputs: Tensors) => outputs["y"]!.data[0];

estimatorSuite("a model slot", { make: () => createModelSlot(tiny("Add")), backend: "cpu" });

describe("createModelSlot()", () => {
  it("uses the next model for calls after the swap, and drops no call of the previous one", async () => {
    const slot = slotWith("Add");
    const [former, next] = [slot.current, tiny("Mul")];
    const before = [slot.predict(x(3, 0, 0, 0)), slot.predict(x(4, 0, 0, 0))];
    const drained = slot.swap(next);
    const after = slot.predict(x(5, 0, 0, 0));
    expect(slot.current).toBe(next);
    expect((await Promise.all([...before, after])).map(first)).toEqual([6, 8, 25]);
    expect(await drained).toBe(former);
    await former.dispose();
    expect(first(await slot.predict(x(6, 0, 0, 0)))).toBe(36);
  });

  it("returns the previous model only when its last call has ended, even with an error", async () => {
    const slot = slotWith("Add");
    const order: string[] = [];
    const good = slot.predict(x(1, 0, 0, 0)).then(() => order.push("answered"));
    const bad = slot.predict({}).catch(() => order.push("rejected"));
    const former = await slot.swap(tiny("Mul"));
    order.push("swapped");
    await Promise.all([good, bad]);
    expect(order).toEqual(["answered", "rejected", "swapped"]);
    await former.dispose();
  });

  it("shows each result and error to the watchers, with its model, before the caller receives it", async () => {
    const slot = slotWith("Add");
    const seen: unknown[] = [];
    const stop = slot.watch(({ model, result, error, ms }) =>
      seen.push([model, result ? first(result) : (error as Error).name, ms >= 0]),
    );
    const former = slot.current;
    const sample = x(1, 0, 0, 0);
    await slot.predict(sample).then(() => seen.push("caller"));
    await slot.predict({}).catch(() => seen.push("caller"));
    const late = slot.predict(x(2, 0, 0, 0));
    const drained = slot.swap(tiny("Mul"));
    await late;
    stop();
    await slot.predict(sample);
    expect(seen).toEqual([
      [former, 2, true],
      "caller",
      [former, "TypeError", true],
      "caller",
      [former, 4, true],
    ]);
    await (await drained).dispose();
  });

  it("does not show calls aborted by their caller", async () => {
    const slot = slotWith("Add");
    let seen = 0;
    slot.watch(() => seen++);
    await expect(
      slot.predict(x(1, 0, 0, 0), { signal: AbortSignal.abort(new Error("left")) }),
    ).rejects.toThrow("left");
    expect(seen).toBe(0);
  });

  it("runs tensors only while its model can", async () => {
    const slot = slotWith("Add");
    const { run: _, predictBatch: __, ...plain } = tiny("Mul");
    expect(first(await slot.run!(x(1, 0, 0, 0)))).toBe(2);
    const { run } = slot;
    await (await slot.swap(plain as ReturnType<typeof tiny>)).dispose();
    expect([slot.run, slot.predictBatch]).toEqual([undefined, undefined]);
    await expect(run!(x(1, 0, 0, 0))).rejects.toThrow(TypeError);
  });

  it("disposes its current model, and accepts no other afterwards", async () => {
    const slot = slotWith("Add");
    const [former, next] = [slot.current, tiny("Mul")];
    await slot.swap(next);
    await Promise.all([slot.dispose(), slot.dispose()]);
    await expect(next.load()).rejects.toMatchObject({ code: "disposed" });
    await expect(slot.swap(former)).rejects.toMatchObject({ code: "disposed" });
    expect(first(await former.predict(x(1, 0, 0, 0)))).toBe(2);
    await former.dispose();
  });

  it("rejects a swap of a model with itself", async () => {
    const slot = slotWith("Add");
    await expect(slot.swap(slot.current)).rejects.toThrow(RangeError);
  });
});
