import { describe, expect, it } from "vitest";
import { createMemberTasks } from "./member-tasks.ts";

describe("member tasks", () => {
  it("are no longer computed for a client that has left, whether its session or its socket ends first", () => {
    const asked: string[] = [];
    const tasks = createMemberTasks({
      now: () => 1,
      taskFor(client, seq) {
        asked.push(client);
        return { kind: "wait", seq, round: 0, modelVersion: 0, retryAfterMs: 1 };
      },
    });
    const ends = ["a", "b", "c"].map((client) => tasks.onTask(client, () => {}));
    tasks.forget("a");
    ends[0]!();
    ends[1]!();
    tasks.forget("b");
    // This client left and joined again before its old socket ended.
    tasks.forget("c");
    tasks.current("c");
    ends[2]!();
    asked.length = 0;
    tasks.refresh();
    expect(asked).toEqual(["c"]);
  });
});
