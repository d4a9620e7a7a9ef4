import type { FederationEvent } from "@sedna-js/core/federation";
import { describe, expect, it } from "vitest";
import { manualClock } from "../../../../../testing/fakes/manual-clock.ts";
import { memoryFederationLog } from "../log/memory-federation-log.ts";
import { createRoundJournal } from "./round-journal.ts";
import { floatsOf } from "../log/float-bytes.ts";

const accepted = (client: string): FederationEvent => ({
  type: "accepted",
  at: 1,
  client,
  round: 1,
  modelVersion: 0,
  weight: 1,
  bytes: 1,
  digest: "",
});

describe("a journal on a full disk", () => {
  it("C24: keeps one checkpoint in memory for as long as the disk is full, and then writes all events", async () => {
    const disk = memoryFederationLog();
    await disk.open();
    let isFull = true;
    const log = {
      ...disk,
      putBlob: async (name: string, bytes: Uint8Array) => {
        if (isFull) throw new Error("full");
        await disk.putBlob(name, bytes);
      },
    };
    const { timers, advance } = manualClock();
    let count = 0;
    const sum = () => ({ round: 1, count, totalWeight: count, mean: Float32Array.of(count) });
    const journal = createRoundJournal({
      log,
      sum,
      maxUnwritten: 1,
      logger: { info() {}, error() {} },
      timers,
    });
    while (count < 50) {
      count++;
      journal.note(accepted(`c${count}`));
    }
    const written = journal.flush();
    isFull = false;
    await new Promise((resolve) => setImmediate(resolve));
    advance(1000);
    await written;
    const records = await disk.read();
    expect(records).toHaveLength(2);
    expect(
      records.flatMap((record) =>
        record.type === "events" ? record.events.map((event) => "client" in event && event.client) : [],
      ),
    ).toEqual(Array.from({ length: 50 }, (_, i) => `c${i + 1}`));
    const last = records.at(-1)!;
    expect(last).toMatchObject({ sum: { count: 50 } });
    expect([...floatsOf((await disk.getBlob((last as { sum: { mean: string } }).sum.mean))!)]).toEqual([50]);
    expect(records[0]).toMatchObject({ sum: { count: 1, mean: "sum-1" } });
    expect(last).toMatchObject({ sum: { mean: "sum-0" } });
    await journal.close();
  });
});
