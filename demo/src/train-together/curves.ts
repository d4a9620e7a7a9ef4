import { lines } from "../charts.ts";

/** The known values of a round. */
export interface RoundPoint {
  readonly round: number;
  /** Accuracy on the held-out digits, as a fraction. */
  readonly together?: number;
  readonly alone?: number;
  readonly loss?: number;
}

/** The curves over the rounds. See {@link createCurves}. */
export interface Curves {
  /** Merges the values into the known values of the round. */
  add(point: RoundPoint): void;
  clear(): void;
}

/** Creates charts of the accuracy of the common model and of this tab alone, and of the loss, by round. */
export function createCurves({
  accuracy,
  loss,
}: {
  readonly accuracy: HTMLElement;
  readonly loss: HTMLElement;
}): Curves {
  const points = new Map<number, RoundPoint>();
  const column = (read: (point: RoundPoint) => number | undefined): (number | null)[] =>
    sorted().map((point) => read(point) ?? null);
  const sorted = (): RoundPoint[] => [...points.values()].toSorted((a, b) => a.round - b.round);
  const rounds = (): number[] => sorted().map(({ round }) => round);
  const inPercent = (share: number | undefined): number | undefined =>
    share === undefined ? undefined : 100 * share;
  const whole = (value: number): string => (Number.isInteger(value) ? String(value) : "");
  const drawings = [
    lines(
      accuracy,
      [
        { label: "all tabs together (solid)", color: "--edge" },
        { label: "this tab alone (dashed)", color: "--cloud", dash: [8, 4] },
      ],
      () => [
        rounds(),
        column(({ together }) => inPercent(together)),
        column(({ alone }) => inPercent(alone)),
      ],
      { max: 100, height: 190, x: whole },
    ),
    lines(loss, [{ label: "loss", color: "--edge" }], () => [rounds(), column((point) => point.loss)], {
      height: 110,
      x: whole,
    }),
  ];
  const draw = (): void => {
    for (const one of drawings) one();
  };
  return {
    add(point) {
      points.set(point.round, { ...points.get(point.round), ...point });
      draw();
    },
    clear() {
      points.clear();
      draw();
    },
  };
}
