import { describe, expect, it } from "vitest";
import type { Paradigm } from "../../packages/core/src/paradigm.ts";

/** A paradigm whose input never ends, so that each run goes on until something ends it. */
export interface ParadigmCase {
  /** Starts a run. */
  readonly run: (options?: { readonly signal?: AbortSignal }) => AsyncIterable<unknown>;
  readonly paradigm: Pick<
    Paradigm<[], unknown, { readonly state: string }, unknown>,
    "status" | "on" | "dispose"
  > &
    AsyncDisposable;
  /** Resolves when the run has begun to work. */
  readonly started: () => Promise<void>;
}

const drain = async (output: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of output);
};

/** Conformance suite of the {@link Paradigm} port. `make` creates a new paradigm for each test. */
export function paradigmSuite(name: string, make: () => Promise<ParadigmCase> | ParadigmCase): void {
  describe(`the Paradigm port: ${name}`, () => {
    it("is idle before a run, and throws the reason of an aborted signal", async () => {
      const { paradigm, run, started } = await make();
      expect(paradigm.status().state).toBe("idle");
      const stop = new AbortController();
      const ended = drain(run({ signal: stop.signal }));
      const error = ended.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      await started();
      expect(paradigm.status().state).not.toBe("idle");
      stop.abort(new Error("enough"));
      expect(await error).toMatchObject({ message: "enough" });
      expect(paradigm.status().state).toBe("idle");
      await paradigm.dispose();
    });

    it("rejects a run whose signal is aborted already", async () => {
      const { paradigm, run } = await make();
      await expect(drain(run({ signal: AbortSignal.abort(new Error("never")) }))).rejects.toThrow("never");
      await paradigm.dispose();
    });

    it("adds and removes a listener", async () => {
      const { paradigm, run, started } = await make();
      const seen: unknown[] = [];
      const off = paradigm.on((event) => seen.push(event));
      const stop = new AbortController();
      const ended = drain(run({ signal: stop.signal })).catch(() => {});
      await started();
      await expect.poll(() => seen.length).toBeGreaterThan(0);
      off();
      const count = seen.length;
      stop.abort();
      await ended;
      expect(seen).toHaveLength(count);
      await paradigm.dispose();
    });

    it("ends its run when it is disposed, once, and rejects later runs", async () => {
      const { paradigm, run, started } = await make();
      const ended = drain(run()).then(
        () => undefined,
        (error: unknown) => error as { readonly code?: string },
      );
      await started();
      await Promise.all([paradigm.dispose(), paradigm.dispose(), paradigm[Symbol.asyncDispose]()]);
      expect([undefined, "disposed"]).toContain((await ended)?.code);
      await expect(drain(run())).rejects.toMatchObject({ code: "disposed" });
    });
  });
}
