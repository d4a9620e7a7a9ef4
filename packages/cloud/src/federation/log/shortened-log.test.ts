import { mergeFederationOptions } from "../../../../../testing/fakes/merge-federation-options.ts";
import { aggregation, select } from "@sedna-js/core";
import { privateAggregator } from "@sedna-js/core/privacy";
import { describe, expect, it } from "vitest";
import { createFederation } from "../create-federation.ts";
import { closed, join, message, mortalLog, send } from "../federation-fixture.suite.ts";
import type { FederationLog } from "./federation-log.ts";
import type { FederationOptions } from "../federation-options.ts";
import type { Federation } from "../federation.ts";
import { recomputeModel } from "../rounds/recompute-model.ts";

const open = async (log: FederationLog, options: Partial<FederationOptions> = {}): Promise<Federation> => {
  const federation = createFederation(
    mergeFederationOptions(
      {
        name: "digits",
        model: { layout: [{ name: "w", shape: [4] }] },
        aggregator: select(aggregation, { method: "FedAvgM" }),
        rounds: { participants: 2, numRounds: 0, overSelect: 1 },
        runtime: { seed: 1, now: () => 1e6 },
        storage: { log, checkpoint: { events: 12 } },
      },
      options,
    ),
  );
  await federation.start();
  return federation;
};
const play = async (
  federation: Federation,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> => {
  const members = join(federation, ["a", "b"]);
  for (let round = from; round <= to; round++) {
    const over = closed(federation);
    for (const member of members)
      await send(federation, {
        member,
        bytes: message([round, 1, 0, -round], { round, numSamples: 10 }),
        round,
      });
    await over;
  }
};
const eventsOf = async (log: FederationLog): Promise<number> =>
  (await log.read()).reduce((sum, record) => sum + (record.type === "events" ? record.events.length : 1), 0);

describe("a long log", () => {
  it("is replaced between two rounds, and a restart continues as if it were not", async () => {
    const [disk, whole] = [mortalLog(), mortalLog()];
    for (const [one, options] of [
      [disk, {}],
      [whole, { storage: { checkpoint: { events: 1e6 } } }],
    ] as const) {
      const first = await open(await one.next(), options);
      await play(first, { from: 1, to: 20 });
      await first.close();
      const again = await open(await one.next(), options);
      await play(again, { from: 21, to: 23 });
      await again.close();
    }
    const [log, reference] = [await disk.next(), await whole.next()];
    const [a, b] = [await open(log), await open(reference, { storage: { checkpoint: { events: 1e6 } } })];
    expect(a.status()).toEqual(b.status());
    expect(a.model(23)).toEqual(b.model(23));
    expect((await log.read())[0]).toMatchObject({ type: "snapshot" });
    expect(await eventsOf(log)).toBeLessThan(25);
    expect(await eventsOf(reference)).toBeGreaterThan(60);
    await a.close();
    await b.close();
  });

  it("keeps the privacy account", async () => {
    const disk = mortalLog();
    const options = () => {
      const { aggregator, privacy } = privateAggregator(select(aggregation, { method: "FedAvg" }), {
        clipNorm: 1,
        noiseMultiplier: 1,
        delta: 1e-5,
      });
      return { aggregator, privacy: { differential: privacy } };
    };
    const first = await open(await disk.next(), options());
    await play(first, { from: 1, to: 12 });
    const spent = first.status();
    await first.close();
    const log = await disk.next();
    const again = await open(log, options());
    expect((await log.read())[0]).toMatchObject({ type: "snapshot" });
    expect(again.status().privacy).toEqual(spent.privacy);
    expect(again.status().history.map(({ epsilon }) => epsilon)).toEqual(
      spent.history.map(({ epsilon }) => epsilon),
    );
    await again.close();
  });

  it("C20: stays as it is if the process crashes during the replacement", async () => {
    const disk = mortalLog();
    const first = await open(await disk.next());
    const dead = disk.dieAt("replace");
    void play(first, { from: 1, to: 20 }).catch(() => {});
    await dead;
    const again = await open(await disk.next());
    const { modelVersion } = again.status();
    expect(modelVersion).toBeGreaterThan(1);
    expect(again.model(modelVersion)).toBeDefined();
    await play(again, { from: modelVersion + 1, to: modelVersion + 2 });
    expect(again.status().modelVersion).toBe(modelVersion + 2);
    await again.close();
  });

  it("is kept whole if updates are kept for audits", async () => {
    const disk = mortalLog();
    const first = await open(await disk.next(), { storage: { keepUpdates: true } });
    await play(first, { from: 1, to: 8 });
    const { parameters } = first.model(8)!;
    await first.close();
    const log = await disk.next();
    await log.open();
    expect((await log.read())[0]).toMatchObject({ type: "started" });
    expect(await recomputeModel(log, { aggregator: select(aggregation, { method: "FedAvgM" }) })).toEqual(
      parameters,
    );
    await log.replace([
      { type: "snapshot", at: 0, name: "digits", length: 4, state: {} as never, models: [], accounted: [] },
    ]);
    await expect(
      recomputeModel(log, { aggregator: select(aggregation, { method: "FedAvgM" }) }),
    ).rejects.toThrow("expected a log that was kept from its start");
    await log.close();
  });
});
