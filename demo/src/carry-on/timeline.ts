/** Entries that are kept; older ones go. */
const KEPT = 200;

/** A screen reader hears at most one sentence in this time, or it would hear nothing else. */
const SPEAK_MS = 3000;

/** Who did a thing that happened. */
export type Actor = "you" | "agent" | "tab" | "others";

/** What happened, newest first. */
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
 * A list of what happened. The newest sentence also stands beside the video, and is told to screen readers,
 * not too often.
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
