import { benchBoundary } from "./boundary.ts";
import { benchCosine } from "./cosine.ts";
import { benchRelaxed } from "./cosine-relaxed.ts";
import { benchFedAvg } from "./fedavg.ts";
import { benchHem } from "./hem.ts";
import { benchPreprocess } from "./preprocess.ts";
import { goal, type Figure, type Goal } from "../result.ts";
import { benchSize } from "./size.ts";
import { benchTrain } from "./train.ts";

/** Returns the figure whose metric starts with `metric`, or the reason why it is missing. */
function find(
  figures: readonly Figure[],
  metric: string,
): { readonly ratio: number | null; readonly value: number | null; readonly reason?: string } {
  const found = figures.find((figure) => figure.metric.startsWith(metric));
  if (found === undefined) return { ratio: null, value: null, reason: `${metric}: not measured` };
  if (Number.isNaN(found.value)) return { ratio: null, value: null, reason: found.unit };
  return { ratio: found.ratio ?? null, value: found.value };
}

/** Returns the peer whose ratio is closest to ours. */
function nearest(...found: readonly ReturnType<typeof find>[]): ReturnType<typeof find> {
  return found.toSorted((a, b) => (a.ratio ?? Infinity) - (b.ratio ?? Infinity))[0]!;
}

/**
 * Measures the goals of the kernels, one benchmark after another. The measured figures are passed to
 * `onFigures`. If a peer has a common form and a faster form tuned by hand, both are measured: the goal
 * compares with the common form, and a line `-tuned` compares with the best form found.
 */
export async function* kernelGoals(
  onFigures: (figures: readonly Figure[]) => void = () => {},
): AsyncGenerator<Goal> {
  const measured = async (
    bench: () => Promise<Figure[]>,
  ): Promise<(metric: string) => ReturnType<typeof find>> => {
    const figures = await bench();
    onFigures(figures);
    return (metric) => find(figures, metric);
  };
  const lower = (name: string, { ratio, reason }: ReturnType<typeof find>, limit: number) =>
    goal(name, ratio, { limit, better: "lower", ...(reason === undefined ? {} : { reason }) });
  const higher = (name: string, { ratio, reason }: ReturnType<typeof find>, limit: number) =>
    goal(name, ratio, { limit, better: "higher", ...(reason === undefined ? {} : { reason }) });

  // Measure this first, because garbage of other benchmarks may be collected at any time.
  const boundary = await benchBoundary();
  onFigures(boundary);
  yield goal(
    "boundary.growth",
    boundary.reduce((sum, { value }) => sum + value, 0),
    { limit: 0, better: "lower" },
  );

  const fedavg = await measured(benchFedAvg);
  const large = "10 clients of 1e7";
  yield lower("fedavg.over-read", fedavg(`${large}: f32`), 1.1);
  yield higher("fedavg.vs-numpy", fedavg(`${large}: numpy in place`), 2.5);
  yield higher(
    "fedavg.vs-numpy-tuned",
    nearest(fedavg(`${large}: numpy, one BLAS call`), fedavg(`${large}: numpy in place, in blocks`)),
    1,
  );
  yield higher("fedavg.vs-js", fedavg(`${large}: JavaScript loop`), 10);
  yield higher("fedavg.vs-sedna", fedavg(`${large}: Sedna's formula on arrays`), 12);
  yield lower("fedavg.int8", fedavg(`${large}: int8`), 0.45);
  yield lower("fedavg.f16", fedavg(`${large}: f16`), 1);
  yield lower("fedavg.topk", fedavg(`${large}: topk`), 0.25);

  const figures: Figure[] = [];
  const cosine = await measured(async () => (figures.push(...(await benchCosine())), figures));
  yield lower("cosine.over-read-1e4", cosine("1 query, 1e4 rows: f32"), 1.1);
  yield lower("cosine.over-read-1e5", cosine("1 query, 1e5 rows: f32"), 1.1);
  const ours = ["f32", "int8", "binary"].map((precision) => `1 query, 1e4 rows: ${precision}`);
  const peers = figures.filter(
    ({ metric, ratio }) =>
      metric.startsWith("1 query, 1e4 rows: ") && ratio !== undefined && !ours.includes(metric),
  );
  const fastest = peers.toSorted((a, b) => a.ratio! - b.ratio!)[0];
  yield goal("cosine.best-peer", fastest?.ratio ?? null, {
    limit: 1,
    better: "higher",
    reason: fastest
      ? `the fastest is ${fastest.metric.slice(19)}`
      : "no peer is installed; see npm run bench -- peers",
  });
  yield lower("cosine.int8", cosine("1 query, 1e5 rows: int8"), 0.4);
  yield goal("cosine.int8-recall", cosine("recall at 10 of int8").value, { limit: 0.999, better: "higher" });
  const batch = cosine("16 queries, 1e4 rows: f32").ratio;
  yield goal("cosine.batch-peak", batch === null ? null : 1 / batch, { limit: 0.82, better: "higher" });
  yield higher("cosine.batch-vs-ort-web", cosine("16 queries, 1e4 rows: onnxruntime-web"), 1.3);
  yield higher(
    "cosine.int8-vs-ort-node",
    cosine("16 queries, 1e4 rows, onnxruntime-node f32 against our int8"),
    0.9,
  );
  const relaxed = await measured(benchRelaxed);
  yield higher(
    "cosine.relaxed-vs-ort-node",
    relaxed("16 queries, 1e4 rows, onnxruntime-node f32 against our int8 with relaxed SIMD"),
    1.8,
  );

  const hem = await measured(benchHem);
  yield higher("hem.ibt-vs-numpy", hem("IBT, 1e5 images of 20 boxes: numpy"), 10);
  yield higher("hem.ibt-vs-numpy-tuned", hem("IBT, 1e5 images of 20 boxes: tuned numpy"), 1);
  yield higher("hem.ce-vs-numpy", hem("CrossEntropy, 1e5 samples of 80 classes: numpy"), 3);
  yield higher("hem.ce-vs-numpy-tuned", hem("CrossEntropy, 1e5 samples of 80 classes: tuned numpy"), 1);
  yield goal("hem.ce-error", hem("CrossEntropy: largest absolute error").value, {
    limit: 1e-6,
    better: "lower",
  });

  const preprocess = await measured(benchPreprocess);
  yield higher("preprocess.vs-js", preprocess("letterbox, WASM"), 6);
  const train = await measured(benchTrain);
  yield higher("train.vs-tfjs", train("softmax head, 600 x 1280, 5 classes, 10 epochs: tfjs"), 25);
  yield higher("train.vs-tfjs-tuned", train("softmax head, 600 x 1280, 5 classes, 10 epochs: tuned tfjs"), 1);

  const sizes = await benchSize();
  onFigures(sizes);
  const largest = sizes
    .filter(({ metric }) => metric.endsWith("gzip -9"))
    .toSorted((a, b) => b.value - a.value)[0]!;
  yield goal("size.wasm", largest.value, {
    limit: 8,
    better: "lower",
    reason: `the largest is ${largest.metric}`,
  });
}
