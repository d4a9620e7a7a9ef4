import type { Detections, Frame, JointInference } from "@sedna-js/edge-agent";
import { byId } from "./dom.ts";
import { buildMiner, minerOptions, type MinerOption } from "./miners.ts";

/** Connects the form to a joint inference: the policy, the miner, and its parameters. */
export function connectControls(joint: Pick<JointInference<Frame, Detections>, "update">): void {
  for (const radio of document.querySelectorAll<HTMLInputElement>('input[name="policy"]')) {
    radio.addEventListener("change", () => joint.update({ policy: radio.value as "joint" }));
  }

  const select = byId("miner", HTMLSelectElement);
  select.replaceChildren(...minerOptions.map(({ name, title }) => new Option(title, name)));
  const choose = (): void => {
    const choice = minerOptions.find(({ name }) => name === select.value) ?? minerOptions[0]!;
    byId("miner-about").textContent = choice.about;
    showKnobs(choice, (param) => joint.update({ hardExampleMining: buildMiner(choice.name, param) }));
  };
  select.addEventListener("change", choose);
  choose();
}

function showKnobs({ name, knobs }: MinerOption, changed: (param: Record<string, number>) => void): void {
  const param = Object.fromEntries(knobs.map(({ key, value }) => [key, value]));
  const rows = knobs.map(({ key, label, min, max, step, value }) => {
    const id = `${name}-${key}`;
    const row = document.createElement("div");
    row.className = "field";
    const title = Object.assign(document.createElement("label"), { htmlFor: id, textContent: label });
    const slider = Object.assign(document.createElement("input"), {
      id,
      type: "range",
      min: String(min),
      max: String(max),
      step: String(step),
      value: String(value),
    });
    const output = Object.assign(document.createElement("output"), { textContent: String(value) });
    slider.addEventListener("input", () => {
      param[key] = slider.valueAsNumber;
      output.textContent = slider.value;
      changed(param);
    });
    row.append(title, slider, output);
    return row;
  });
  byId("sliders").replaceChildren(...rows);
  changed(param);
}
