import type { Reporter, TestModule } from "vitest/node";

/** Ends a test run with the line `N passed, N failed`, and lists the skipped tests with their reasons. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    const skipped = new Map<string, string[]>();
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        count[test.result().state]++;
        const { state, note } = test.result() as { state: string; note?: string };
        if (state !== "skipped") continue;
        // The reason is Vitest's note, or the end of the title: "... (SKIPPED: reason)".
        const [title, reason = note ?? "no reason given"] = test.fullName.split(/ \(SKIPPED: (.*)\)$/);
        skipped.set(reason, [...(skipped.get(reason) ?? []), title!]);
      }
    }
    for (const [reason, [first, ...others]] of skipped)
      console.log(
        `SKIPPED: ${reason}\n  ${first}${others.length > 0 ? `, and ${others.length} like it` : ""}`,
      );
    console.log(
      `\n${count.passed} passed, ${count.failed + count.pending} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ""}`,
    );
  }
}

// Vitest loads a reporter file by its default export.
// oxlint-disable-next-line import/no-default-export
export default SummaryReporter;
