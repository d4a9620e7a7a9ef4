import { lines } from "./charts.ts";
import { byId, percent } from "./dom.ts";
import type { DigitResults } from "./digits.worker.ts";

/** Runs both digit models over the held-out digits, once, when the panel scrolls into view. */
export function createDigitsPanel(): void {
  const place = byId("chart-digits");
  const result = byId("digit-result");
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    result.textContent = "Running both models over 2,000 digits ...";
    const worker = new Worker(new URL("./digits.worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<DigitResults | { error: string }>) => {
      worker.terminate();
      if ("error" in data) result.textContent = `The models could not classify the digits: ${data.error}`;
      else show(data, { place, result });
    });
  }).observe(place);
}

function show(
  { confidence, littleRight, bigRight }: DigitResults,
  { place, result }: { place: HTMLElement; result: HTMLElement },
): void {
  const count = confidence.length;
  const total = (values: Uint8Array): number => values.reduce((sum, one) => sum + one, 0);
  const [little, big] = [total(littleRight) / count, total(bigRight) / count];

  // accuracy[k]: the big model classifies the k least certain digits, the little model the rest.
  const order = Array.from(confidence.keys()).toSorted((a, b) => confidence[a]! - confidence[b]!);
  const accuracy = [little];
  for (const i of order) accuracy.push(accuracy.at(-1)! + (bigRight[i]! - littleRight[i]!) / count);

  const shares = Array.from({ length: 101 }, (_, share) => share);
  const at = (share: number): number => accuracy[Math.round((share / 100) * count)]!;
  const random = (share: number): number => little + (share / 100) * (big - little);
  const series = [
    { label: "least certain first", color: "--cloud" },
    { label: "random", color: "--quiet", dash: [4, 4] },
  ];
  lines(
    place,
    series,
    () => [shares, shares.map((share) => 100 * at(share)), shares.map((share) => 100 * random(share))],
    { min: Math.floor(100 * little) - 1, max: 100, x: (share) => `${share} %`, height: 170 },
  );

  const slider = byId("digit-share", HTMLInputElement);
  const update = (): void => {
    const share = slider.valueAsNumber;
    byId("digit-share-value").textContent = `${share} %`;
    result.textContent = `With ${share} % sent: ${percent(at(share))} correct. Little model alone: ${percent(little)}. Big model alone: ${percent(big)}. Random ${share} %: ${percent(random(share))}.`;
  };
  slider.addEventListener("input", update);
  update();
}
