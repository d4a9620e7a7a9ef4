import type { FederationClientStatus } from "@sedna-js/core";

const states: Readonly<Record<FederationClientStatus["state"], string>> = {
  idle: "waits",
  training: "trains",
  counted: "is counted",
  dropped: "did not send in time",
  quarantined: "is left out: its updates were malformed",
  left: "has left",
};

/** Shows who takes part and what each is doing. Rows keep their places, so that a reader can follow one. */
export function showPeople(list: HTMLElement, clients: readonly FederationClientStatus[]): void {
  for (const [i, { id, state, kind, rounds }] of clients.entries()) {
    const row = list.children[i] ?? list.appendChild(document.createElement("li"));
    const text = `${kind === "sedna-v1" ? "Sedna client" : "Participant"} ${id} ${states[state]} · ${rounds === 1 ? "1 round" : `${rounds} rounds`}`;
    // Set only when it is another: a text that is set again loses a reader's selection.
    if (row.textContent !== text) row.textContent = text;
    row.className = `person ${state}`;
  }
  while (list.children.length > clients.length) list.lastElementChild!.remove();
}
