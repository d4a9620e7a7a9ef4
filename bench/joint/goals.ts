import { bundleReport } from "./bundle.ts";
import { digitsCascade } from "./digits.ts";
import { benchJoint } from "./overhead.ts";
import { benchPreprocess } from "../kernels/preprocess.ts";
import { goal, type Figure, type Goal } from "../result.ts";
import { videoGain } from "./video.ts";

/**
 * Measures the goals of joint inference, one after another. The measured figures are passed to `onFigures`.
 */
export async function* goalsOf(
  onFigures: (figures: readonly Figure[]) => void = () => {},
): AsyncGenerator<Goal> {
  const overhead = await benchJoint();
  onFigures(overhead);
  const ratioOf = (metric: string): number => overhead.find((figure) => figure.metric === metric)!.ratio!;
  yield goal("joint.overhead-p50", ratioOf("overhead, p50"), { limit: 1.03, better: "lower" });
  yield goal("joint.overhead-p99", ratioOf("overhead, p99"), { limit: 1.05, better: "lower" });
  const preprocess = await benchPreprocess();
  onFigures(preprocess);
  yield goal("preprocess.vs-js", preprocess[1]!.ratio!, { limit: 5, better: "higher" });
  yield goal("joint.cascade", (await digitsCascade([0.2])).points[0]!.accuracy, {
    limit: 0.955,
    better: "higher",
  });
  yield goal("joint.video-gain", (await videoGain()).ratio, { limit: 1.5, better: "higher" });
  const { ourKb, warnings } = await bundleReport();
  yield goal("joint.bundle-kb", warnings.length === 0 ? ourKb : null, {
    limit: 40,
    better: "lower",
    ...(warnings.length ? { reason: warnings.join("; ") } : {}),
  });
}
