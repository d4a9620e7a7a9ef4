import type { FederationClientStatus, FederationStatus } from "@sedna-js/core/wire";

const states: Readonly<Record<FederationClientStatus["state"], string>> = {
  idle: "is waiting",
  training: "trains",
  accepted: "was accepted",
  dropped: "did not send in time",
  quarantined: "is quarantined: its updates were malformed",
  left: "has left",
};

/** Shows the participants and their states. Rows keep their positions, so that a reader can follow one. */
export function showParticipants(list: HTMLElement, clients: readonly FederationClientStatus[]): void {
  for (const [i, { id, state, kind, rounds }] of clients.entries()) {
    const row = list.children[i] ?? list.appendChild(document.createElement("li"));
    const text = `${nameOf({ id, kind })} ${states[state]} · ${rounds === 1 ? "1 round" : `${rounds} rounds`}`;
    // Set the text only if it differs: setting it again would clear the user's selection.
    if (row.textContent !== text) row.textContent = text;
    row.className = `person ${state}`;
  }
  while (list.children.length > clients.length) list.lastElementChild!.remove();
}

/**
 * Creates a function that reports participants who join, drop out, or return. It does not report those of the
 * first status.
 */
export function createParticipantWatcher(tell: (text: string) => void): (status: FederationStatus) => void {
  let before: ReadonlyMap<number, FederationClientStatus["state"]> | undefined;
  const isAway = (state: FederationClientStatus["state"]): boolean => state === "left" || state === "dropped";
  return ({ clients }) => {
    for (const { id, kind, state } of before ? clients : []) {
      const was = before!.get(id);
      if (was === state) continue;
      if (was === undefined) tell(`${nameOf({ id, kind })} has joined.`);
      else if (state === "quarantined" || (isAway(state) && !isAway(was)))
        tell(`${nameOf({ id, kind })} ${states[state]}.`);
      else if (isAway(was) && !isAway(state)) tell(`${nameOf({ id, kind })} is back.`);
    }
    before = new Map(clients.map(({ id, state }) => [id, state]));
  };
}

/** Displayed numbers start at one. */
const nameOf = ({ id, kind }: Pick<FederationClientStatus, "id" | "kind">): string =>
  `${kind === "sedna-v1" ? "Sedna client" : "Participant"} ${id + 1}`;
