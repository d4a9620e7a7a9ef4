import { expect, it } from "vitest";
import { coalesce } from "./coalesce.ts";

it("coalesce() runs one work at a time, and once more for all calls during a run", async () => {
  const ends: (() => void)[] = [];
  let concurrent = 0;
  const run = coalesce(async () => {
    expect(++concurrent).toBe(1);
    await new Promise<void>((resolve) => ends.push(resolve));
    concurrent--;
  });
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
  run();
  run();
  run();
  expect(ends).toHaveLength(1);
  ends[0]!();
  await settle();
  expect(ends).toHaveLength(2);
  ends[1]!();
  await settle();
  expect(ends).toHaveLength(2);
  run();
  expect(ends).toHaveLength(3);
});
