/** Maximum number of entries; older ones are removed. */
const KEPT = 200;

/** Minimum interval between two sentences for screen readers, which would otherwise read nothing else. */
const SPEAK_MS = 3000;

/** The originator of an entry. */
export type Actor = "you" | "agent" | "tab" | "others";

/** The list of events, latest first. */
export interface Timeline {
  add(entry: { readonly actor: Actor; readonly text: string }): void;
}

/** Options of {@link createTimeline}. */
interface TimelineOptions {
  readonly list: HTMLOListElement;
  readonly latest: HTMLElement;
  readonly spoken: HTMLElement;
}

/**
 * Creates a list of events. The latest sentence is also shown beside the video, and announced to screen
 * readers at a limited rate.
 */
export function createTimeline({ list, latest, spoken }: TimelineOptions): Timeline {
  const speech: { next?: string; timer?: ReturnType<typeof setTimeout> } = {};
  const speak = (): void => {
    delete speech.timer;
    if (speech.next === undefined) return;
    spoken.textContent = speech.next;
    delete speech.next;
    speech.timer = setTimeout(speak, SPEAK_MS);
  };

  return {
    add({ actor, text }) {
      const at = new Date();
      const time = Object.assign(document.createElement("time"), {
        dateTime: at.toISOString(),
        textContent: at.toLocaleTimeString("en-GB"),
      });
      const who = Object.assign(document.createElement("span"), {
        className: `actor ${actor}`,
        textContent: actor,
      });
      const what = Object.assign(document.createElement("span"), { textContent: text });
      const row = document.createElement("li");
      row.append(time, who, what);
      list.prepend(row);
      while (list.children.length > KEPT) list.lastElementChild?.remove();
      latest.textContent = text;
      speech.next = text;
      speech.timer ??= setTimeout(speak, 0);
    },
  };
}
