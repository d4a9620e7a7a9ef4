import { entriesOf, entryOf, type FederationState } from "@sedna-js/core";

type Assigned = Pick<FederationState, "assignments">;

/** Clients of a buffer whose work began, ended or is another one. */
export function changedAssignments(
  { assignments: before }: Assigned,
  { assignments: after }: Assigned,
): readonly string[] {
  if (before === after) return [];
  const ended = entriesOf(before).filter(({ client }) => entryOf(after, client) === undefined);
  const begun = entriesOf(after).filter((one) => entryOf(before, one.client) !== one);
  return [...ended, ...begun].map(({ client }) => client);
}
