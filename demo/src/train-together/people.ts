import type { FederationClientStatus, FederationStatus } from "@sedna-js/core/wire";

const states: Readonly<Record<FederationClientStatus["state"], string>> = {
  idle: "waits",
  training: "trains",
  accepted: "is counted",
  dropped: "did not send in time",
  quarantined: "is left out: its updates were malformed",
  left: "has left",
};

/** Shows who takes part and what each is doing. Rows keep their places, so that a reader can follow one. */
export function showPeople(list: HTMLElement, clients: readonly FederationClientStatus[]): void {
  for (const [i, { id, state, kind, rounds }] of clients.entries()) {
    const row = list.children[i] ?? list.appendChild(document.createElement("li"));
    const text = `${nameOf({ id, kind })} ${states[state]} · ${rounds === 1 ? "1 round" : `${rounds} rounds`}`;
    // Set only when it is another: a text that is set again loses a reader's selection.
    if (row.textContent !== text) row.textContent = text;
    row.className = `person ${state}`;
  }
  while (list.children.length > clients.length) list.lastElementChild!.remove();
}

/** Tells of those who come, drop out and come back; not of those who were there when the watch began. */
export function peopleWatcher(tell: (text: string) => void): (status: FederationStatus) => void {
  let before: ReadonlyMap<number, FederationClientStatus["state"]> | undefined;
  const isAway = (state: FederationClientStatus["state"]): boolean => state === "left" || state === "dropped";
  return ({ clients }) => {
    for (const { id, kind, state } of before ? clients : []) {
      const was = before!.get(id);
      if (was === state) continue;
      if (was === undefined) tell(`${nameOf({ id, kind })} has come.`);
      else if (state === "quarantined" || (isAway(state) && !isAway(was)))
        tell(`${nameOf({ id, kind })} ${states[state]}.`);
      else if (isAway(was) && !isAway(state)) tell(`${nameOf({ id, kind })} is back.`);
    }
    before = new Map(clients.map(({ id, state }) => [id, state]));
  };
}

/** People count from one. */
const nameOf = ({ id, kind }: Pick<FederationClientStatus, "id" | "kind">): string =>
  `${kind === "sedna-v1" ? "Sedna client" : "Participant"} ${id + 1}`;
