import { messageOf } from "@sedna-js/core/errors";
import { parseFederationStatus, type FederationStatus } from "@sedna-js/core/wire";
import { createTimeline } from "../carry-on/timeline.ts";
import { byId, percent } from "../dom.ts";
import { createCurves } from "./curves.ts";
import { describeEvent } from "./describe-event.ts";
import { accuracyOf, predictDigits } from "./digits-head.ts";
import { loadDigits, SIDE, type Digits } from "./digits-share.ts";
import { drawDigits } from "./draw-digits.ts";
import { createParticipant } from "./participant.ts";
import { createParticipantWatcher, showParticipants } from "./people.ts";
import { enterRoom, type Mode } from "./room.ts";

const STATUS_MS = 700;
const SHOWN_DIGITS = 60;
const SHOWN_ANSWERS = 60;

const aboutModes: Readonly<Record<Mode, string>> = {
  plain: "The server adds up the updates and could inspect each one.",
  secure:
    "Tabs mask their updates. The masks cancel in the sum, which is all that the server can read. Secure aggregation requires three tabs.",
  private:
    "Each update is clipped, and noise is added to their mean. With few tabs, the noise is large and lowers the accuracy. Epsilon grows with each round.",
};

async function start(): Promise<void> {
  const room = await enterRoom();
  const { share, heldOut } = await loadDigits();
  const digits = share(room.share);
  showMode(room.mode, (mode) => location.assign(room.address(mode)));

  const timeline = createTimeline({
    list: byId("timeline", HTMLOListElement),
    latest: byId("latest"),
    spoken: byId("spoken"),
  });
  const curves = createCurves({ accuracy: byId("chart-accuracy"), loss: byId("chart-loss") });
  const url = new URL("cloud", location.href);
  const newest = {
    together: undefined as number | undefined,
    alone: undefined as number | undefined,
    version: 0,
    sent: 0,
    answers: new Uint8Array(0) as Uint8Array,
  };

  // The digits are ordered by class: show some of every class.
  const some = Array.from({ length: SHOWN_DIGITS }, (_, i) =>
    Math.floor((((i * 37) % SHOWN_DIGITS) * digits.labels.length) / SHOWN_DIGITS),
  );
  const drawOwn = (): void =>
    drawDigits(byId("digits", HTMLCanvasElement), { pixels: pick(digits.pixels, some), count: some.length });
  const drawAnswers = (): void =>
    drawDigits(byId("answers", HTMLCanvasElement), {
      pixels: heldOut.pixels,
      count: SHOWN_ANSWERS,
      caption: (i) => ({
        text: newest.answers.length === 0 ? "" : String(newest.answers[i]),
        wrong: newest.answers[i] !== heldOut.labels[i],
      }),
    });
  drawOwn();
  drawAnswers();
  byId("about-digits").textContent = aboutDigits(digits);
  new ResizeObserver(() => (drawOwn(), drawAnswers())).observe(byId("answers").parentElement!);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (drawOwn(), drawAnswers()));

  const participant = createParticipant({
    url,
    federation: room.federation,
    device: room.device,
    digits,
    onEvent(event) {
      const { text, isNews } = describeEvent(event);
      byId("doing").textContent = text;
      if (isNews) timeline.add({ actor: "tab", text });
      if (event.type === "sent") {
        newest.sent += event.bytes;
        byId("sent").textContent = `${(newest.sent / 1024).toFixed(0)} KB`;
      }
    },
    onAlone(round, parameters) {
      newest.alone = accuracyOf(predictDigits(parameters, heldOut.features), heldOut.labels);
      byId("alone").textContent = percent(newest.alone);
      curves.add({ round, alone: newest.alone });
    },
  });

  const showModel = async ({ modelVersion, round }: FederationStatus): Promise<void> => {
    if (modelVersion === newest.version || modelVersion === 0) return;
    newest.version = modelVersion;
    const parameters = await participant.model(modelVersion).catch(() => undefined);
    if (!parameters || newest.version !== modelVersion) return;
    newest.answers = predictDigits(parameters, heldOut.features);
    newest.together = accuracyOf(newest.answers, heldOut.labels);
    byId("together").textContent = percent(newest.together);
    curves.add({ round, together: newest.together });
    drawAnswers();
    const wrong = newest.answers
      .subarray(0, SHOWN_ANSWERS)
      .filter((answer, i) => answer !== heldOut.labels[i]).length;
    byId("about-answers").textContent =
      `${SHOWN_ANSWERS} of the 2,000 held-out digits, ${wrong} of them wrong (orange). Of all 2,000 it has ${percent(newest.together)} right; this tab alone would have ${newest.alone === undefined ? "..." : percent(newest.alone)}.`;
  };

  const tellPeople = createParticipantWatcher((text) => timeline.add({ actor: "others", text }));

  const watch = async (): Promise<void> => {
    const status = await statusOf(new URL(`cloud/v1/federations/${room.federation}`, location.href));
    showStatus(status, newest);
    tellPeople(status);
    for (const { round, loss } of status.history) if (loss !== undefined) curves.add({ round, loss });
    await showModel(status);
  };
  const watching = async (): Promise<void> => {
    await watch().catch(
      (error: unknown) =>
        (byId("headline").textContent = `The aggregator cannot be reached: ${messageOf(error)}`),
    );
    setTimeout(() => void watching(), STATUS_MS);
  };

  const leave = byId("leave");
  const takePart = async (): Promise<void> => {
    leave.textContent = "Drop out";
    leave.setAttribute("aria-pressed", "false");
    try {
      await participant.join();
      byId("doing").textContent = "This tab no longer participates.";
    } catch (error) {
      byId("doing").textContent = `This tab cannot participate: ${messageOf(error)}`;
    }
    leave.textContent = "Rejoin";
    leave.setAttribute("aria-pressed", "true");
  };
  leave.addEventListener("click", () => {
    if (participant.isIn) {
      timeline.add({
        actor: "you",
        text: "dropped out. The others continue when the round's deadline has passed.",
      });
      participant.leave();
    } else {
      timeline.add({ actor: "you", text: "rejoined." });
      void takePart();
    }
  });
  byId("more").addEventListener("click", () =>
    window.open(location.href.replace(/[?&]share=\d+/, ""), "_blank", "noopener"),
  );
  void takePart();
  void watching();
}

/** Returns the digits with these indices, concatenated. */
function pick(pixels: Uint8Array, numbers: readonly number[]): Uint8Array {
  const size = SIDE * SIDE;
  const picked = new Uint8Array(numbers.length * size);
  for (const [at, number] of numbers.entries())
    picked.set(pixels.subarray(number * size, (number + 1) * size), at * size);
  return picked;
}

function showMode(mode: Mode, onChange: (mode: Mode) => void): void {
  const select = byId("mode", HTMLSelectElement);
  select.value = mode;
  byId("about-mode").textContent = aboutModes[mode];
  select.addEventListener("change", () => onChange(select.value as Mode));
}

function aboutDigits({ labels }: Digits): string {
  const counts = Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length);
  const [many, none] = [(count: number) => count >= labels.length / 20, (count: number) => count === 0].map(
    (test) => counts.flatMap((count, digit) => (test(count) ? [digit] : [])),
  );
  return `${labels.length} digits: mostly ${many!.join(", ")}${none!.length > 0 ? `; no ${none!.join(", no ")}` : ""}.`;
}

async function statusOf(url: URL): Promise<FederationStatus> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`expected the federation's status; got ${response.status}`);
  return parseFederationStatus(await response.json());
}

function showStatus(
  { state, round, remainingMs, clients, history, privacy, plan }: FederationStatus,
  { together }: { readonly together: number | undefined },
): void {
  const least = plan.protection === "secure-aggregation" ? 3 : 2;
  const present = clients.filter((one) => one.state !== "left").length;
  const last = history.at(-1);
  byId("round").textContent = plan.numRounds === 0 ? String(round) : `${round} of ${plan.numRounds}`;
  byId("closes").textContent = remainingMs === undefined ? "-" : `${Math.ceil(remainingMs / 1000)} s`;
  byId("loss").textContent = last?.loss === undefined ? "-" : last.loss.toFixed(2);
  byId("updates").textContent = last ? `${last.accepted} of ${last.selected}` : "-";
  byId("epsilon").textContent = privacy
    ? `ε ${privacy.epsilon.toFixed(1)} at δ ${privacy.delta}`
    : "not limited";
  showParticipants(byId("people"), clients);
  byId("headline").textContent =
    state === "done"
      ? `Done: ${present} tabs have a global model${together === undefined ? "" : ` with an accuracy of ${percent(together)}`}.`
      : present < least
        ? `${present === 1 ? "One tab is" : `${present} tabs are`} here. Open another one: training begins with ${least === 2 ? "two" : "three"}.`
        : together === undefined
          ? `${present} tabs are here. The first round is in progress.`
          : `${present} tabs, ${round} rounds: the global model has an accuracy of ${percent(together)}.`;
}

start().catch((error: unknown) => {
  byId("headline").textContent = `The page could not start: ${messageOf(error)}`;
});
