import type { EdgeAgent } from "@sedna-js/edge-agent";
import { byId } from "../dom.ts";
import type { AgentWorkers, WorkerFault } from "./agent-workers.ts";
import type { Network } from "./network.ts";
import type { Publisher } from "./publisher.ts";
import { badModels, type BadPush, type Push } from "./pushes.ts";

/** Options of {@link connectButtons}. */
export interface ButtonsOptions {
  readonly agent: Pick<EdgeAgent<never>, "status" | "update" | "flush">;
  readonly workers: AgentWorkers;
  readonly network: Network;
  readonly publisher: Publisher;
  /** Called after each action of the visitor, with a sentence and a label for the chart. */
  readonly onDone: (done: { readonly text: string; readonly mark: string }) => void;
  /** Called when the switch cuts or restores the network. */
  readonly onCut: (isCut: boolean) => void;
  readonly onError: (error: unknown) => void;
}

const ids = ["lose-gpu", "kill-worker", "hang-worker", "network", "push-good", "push-bad"] as const;
type ButtonId = (typeof ids)[number];

const about = {
  gpu: "Destroys the GPU device of the model. The agent switches to a new device.",
  noGpu: (place: string) => `The model runs on ${place}, so there is no GPU to lose.`,
  good: "Pushes a retrained, signed version. The agent tests the new version beside the old version, then switches between two frames.",
  elsewhere: "Another tab of this page is the leader and installs the updates. Push the model in that tab.",
} as const;

/** What `breaking` takes. */
interface BreakingOptions {
  readonly fault: WorkerFault;
  readonly text: string;
  readonly mark: string;
}

/**
 * Connects the buttons.
 *
 * @returns A function that updates the buttons from the agent's state.
 */
export function connectButtons({
  agent,
  workers,
  network,
  publisher,
  onDone,
  onCut,
  onError,
}: ButtonsOptions): () => void {
  const buttons = Object.fromEntries(ids.map((id) => [id, byId(id, HTMLButtonElement)])) as Record<
    ButtonId,
    HTMLButtonElement
  >;
  const pushing = { now: false };
  // Use `ariaDisabled`, because `disabled` would remove the keyboard focus from the button that was just
  // pressed.
  const onPress = (id: ButtonId, press: () => void): void =>
    buttons[id].addEventListener("click", () => void (buttons[id].ariaDisabled === "true" || press()));

  const breaking = (id: ButtonId, { fault, text, mark }: BreakingOptions): void => {
    onPress(id, () => {
      const version = agent.status().model?.version;
      if (version !== undefined && workers.breakWorker(version, fault)) onDone({ text, mark });
    });
  };
  breaking("lose-gpu", {
    fault: "lose-gpu",
    text: "You destroyed the GPU device of the model.",
    mark: "no GPU",
  });
  breaking("kill-worker", { fault: "crash", text: "You killed the model's Worker.", mark: "killed" });
  breaking("hang-worker", { fault: "hang", text: "You made the model's Worker hang.", mark: "hung" });

  onPress("network", () => {
    const isCut = !network.isCut;
    if (isCut) network.cut();
    else network.restore();
    onCut(isCut);
    buttons.network.setAttribute("aria-pressed", String(isCut));
    buttons.network.textContent = isCut ? "Restore the network" : "Cut the network";
    onDone(
      isCut
        ? { text: "You cut the network.", mark: "cut" }
        : { text: "You restored the network.", mark: "back" },
    );
    // Like the browser's "online" event: pending items need not wait for the next attempt.
    if (!isCut) agent.flush().catch(onError);
  });

  const push = async (what: Push, name: string): Promise<void> => {
    pushing.now = true;
    refresh();
    try {
      const version = await publisher.publish(what);
      onDone({ text: `You pushed version ${version}: ${name}.`, mark: `v${version}` });
      await agent.update();
    } catch (error) {
      onError(error);
    } finally {
      pushing.now = false;
      refresh();
    }
  };
  const select = byId("bad-kind", HTMLSelectElement);
  select.replaceChildren(...badModels.map(({ push: value, title }) => new Option(title, value)));
  const chosen = () =>
    badModels.find(({ push: value }) => value === (select.value as BadPush)) ?? badModels[0]!;
  const explain = (): void => void (byId("about-bad").textContent = chosen().about);
  select.addEventListener("change", explain);
  explain();
  onPress("push-good", () => void push("good", "a good model"));
  onPress("push-bad", () => void push(chosen().push, `a bad model. ${chosen().title}`));

  const refresh = (): void => {
    const { model, leads } = agent.status();
    const hasWorker = model !== null && model.backend !== "cloud";
    const hasGpu = model?.backend === "webgpu";
    const canPush = model !== null && leads && !pushing.now;
    const isEnabled: Record<ButtonId, boolean> = {
      "lose-gpu": hasGpu,
      "kill-worker": hasWorker,
      "hang-worker": hasWorker,
      network: true,
      "push-good": canPush,
      "push-bad": canPush,
    };
    for (const id of ids)
      if (buttons[id].ariaDisabled !== String(!isEnabled[id]))
        buttons[id].ariaDisabled = String(!isEnabled[id]);
    const gpu = hasGpu || !hasWorker ? about.gpu : about.noGpu(model.backend.toUpperCase());
    const hints = { "about-gpu": gpu, "about-good": model === null || leads ? about.good : about.elsewhere };
    for (const [id, hint] of Object.entries(hints))
      if (byId(id).textContent !== hint) byId(id).textContent = hint;
  };
  return refresh;
}
