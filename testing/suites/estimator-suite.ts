import type { Estimator, Tensors } from "@sedna-js/core";
import { afterAll, describe, expect, it } from "vitest";

const input = (...values: number[]): Tensors => ({
  x: { dtype: "float32", shape: [values.length / 4, 4], data: Float32Array.from(values) },
});

/**
 * Conformance suite for adapters of the Estimator port. It uses the model of `tinyOnnx()`: y = x + x, float32
 * [n,4].
 */
export function estimatorSuite(
  name: string,
  { make, backend }: { readonly make: () => Estimator<Tensors, Tensors>; readonly backend: string },
): void {
  describe(`the Estimator port: ${name}`, () => {
    const estimator = make();
    afterAll(() => estimator.dispose());

    it("returns the model's metadata, also on a second load", async () => {
      const metadata = {
        kind: "tensors",
        backend,
        batches: true,
        inputs: [{ name: "x", dtype: "float32", shape: [-1, 4] }],
        outputs: [{ name: "y", dtype: "float32", shape: [-1, 4] }],
      };
      expect(await estimator.load()).toEqual(metadata);
      expect(await estimator.load()).toEqual(metadata);
    });

    it("returns the result, and to each of several concurrent calls its own", async () => {
      expect((await estimator.predict(input(1, 2, 3, 4)))["y"]).toEqual({
        dtype: "float32",
        shape: [1, 4],
        data: Float32Array.of(2, 4, 6, 8),
      });
      const answers = await Promise.all([1, 2, 3].map((value) => estimator.predict(input(value, 0, 0, 0))));
      expect(answers.map((one) => one["y"]!.data[0])).toEqual([2, 4, 6]);
    });

    it("rejects a sample that does not fit, reports the expected shape, and runs the next sample", async () => {
      const misfit: Tensors = { x: { dtype: "float32", shape: [1, 3], data: new Float32Array(3) } };
      const [rejected, answered] = await Promise.allSettled([
        estimator.predict(misfit),
        estimator.predict(input(1, 2, 3, 4)),
      ]);
      expect(rejected).toMatchObject({
        status: "rejected",
        reason: new TypeError("run the model: expected x as float32 [-1,4]; got float32 [1,3]"),
      });
      expect(answered).toMatchObject({ status: "fulfilled", value: { y: { shape: [1, 4] } } });
      await expect(estimator.predict({})).rejects.toThrow("expected the inputs x; got none");
    });

    it("does not run for a caller that has aborted", async () => {
      await expect(
        estimator.predict(input(1, 2, 3, 4), { signal: AbortSignal.abort(new Error("left")) }),
      ).rejects.toThrow("left");
      expect((await estimator.predict(input(1, 2, 3, 4)))["y"]!.data[3]).toBe(8);
    });

    it("returns a batch's results in the order of its samples, if it supports batches", async () => {
      const batch = await estimator.predictBatch?.([input(1, 0, 0, 0), input(2, 0, 0, 0, 3, 0, 0, 0)]);
      if (batch)
        expect(batch.map((one) => [...one["y"]!.shape, one["y"]!.data[0]])).toEqual([
          [1, 4, 2],
          [2, 4, 4],
        ]);
    });

    it("rejects calls after dispose, which may be called twice", async () => {
      const other = make();
      await other.load();
      await Promise.all([other.dispose(), other.dispose()]);
      await expect(other.predict(input(1, 2, 3, 4))).rejects.toMatchObject({ code: "disposed" });
      await expect(other.load()).rejects.toMatchObject({ code: "disposed" });
    });
  });
}
