"""Measures which hard-example miner earns its upload on vtest, from the records of both models.

Frames 0-519 choose every parameter; frames 530-794 are held out and only measured. The quality of
a frame is the F1 of the little model's rows (>= display) against the big model's (>= 0.45) at IoU
0.5, 1 when both are empty; an uploaded frame counts 1 by construction, so this is agreement with
the cloud, not accuracy. "ratio" = gain of a miner / gain of uploading at random.
Needs:   numpy. Takes a few minutes. Writes a JSON report and prints a table.
"""
import argparse
import json
from pathlib import Path

import numpy as np

import miners as m
import vision_common as vc

CALIBRATION, HELD_OUT = np.arange(5, 520), np.arange(530, 795)
UPLOADS = (0.1, 0.2, 0.3, 0.5)
DECAYS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
HEAD_FEATURES = ("expected F1, calibrated", "Sedna Threshold (mean), shown rows",
                 "lowest shown score", "band .2-.6 / shown", "shown count", "crowding",
                 "rows at the frame edge", "flicker (rows unmatched)", "count below max of 5",
                 "motion", "box jitter")


def load(path):
    record = json.loads(Path(path).read_text())

    def boxes(name):
        return [np.array(f[name], float).reshape(-1, 5) for f in record["frames"]]
    return record, boxes("little"), boxes("shifted"), boxes("big")


def frame_quality(little, reference, display):
    return np.array([vc.f1(*vc.match(rows[rows[:, 4] >= display], truth))
                     for rows, truth in zip(little, reference)])


def fit_calibration(little, reference, frames):
    """Slope and offset of logistic(slope * logit(score) + offset) = P(row matches a person)."""
    scores, right = [], []
    for index in frames:
        rows = little[index][np.argsort(-little[index][:, 4], kind="stable")]
        for row, partner in zip(rows, m.pairs(rows, reference[index], vc.MATCH_IOU)):
            scores.append(row[4])
            right.append(partner >= 0)
    x = np.stack([np.log(np.array(scores) / (1 - np.array(scores))), np.ones(len(scores))], 1)
    weights, right = np.array([1.0, 0.0]), np.array(right, float)
    for _ in range(30):
        p = m.logistic(x @ weights)
        weights += np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x, x.T @ (right - p))
    return weights


def chosen(score, frames, upload):
    """The frames with the highest scores; ties go to the earlier frame."""
    order = np.argsort(-score[frames], kind="stable")
    uploaded = np.zeros(len(frames), bool)
    uploaded[order[:round(upload * len(frames))]] = True
    return uploaded


def gain_ratio(uploaded, quality):
    """Gain of these uploads over the expected gain of as many random ones."""
    loss = 1 - quality
    return float((uploaded * loss).mean() / (uploaded.mean() * loss.mean()))


def interval(uploaded, quality, block=20, draws=4000):
    """Circular block bootstrap over consecutive frames: 2.5 %, 97.5 % and P(ratio >= 1.5)."""
    random, count = np.random.default_rng(0), len(quality)
    starts = random.integers(0, count, (draws, -(-count // block)))
    index = ((starts[:, :, None] + np.arange(block)) % count).reshape(draws, -1)[:, :count]
    loss, up = (1 - quality)[index], uploaded[index]
    ratios = (up * loss).mean(1) / np.maximum(up.mean(1) * loss.mean(1), 1e-9)
    return [round(float(v), 2) for v in (*np.percentile(ratios, (2.5, 97.5)),
                                         (ratios >= 1.5).mean())]


def ema(score, weight):
    smooth = score.copy()
    for index in range(1, len(score)):
        smooth[index] = weight * score[index] + (1 - weight) * smooth[index - 1]
    return smooth


def ridge(features, target, strength):
    mean, spread = features.mean(0), features.std(0) + 1e-9
    x = (features - mean) / spread
    weights = np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ (target - target.mean()))
    return lambda other: (other - mean) / spread @ weights


def learned_head(candidates, names, quality):
    """Ridge regression of 1 - quality; the strength is chosen by 5 consecutive folds."""
    features = np.stack([candidates[name] for name in names], 1)
    target, folds = 1 - quality, np.array_split(CALIBRATION, 5)

    def error(strength):
        rest = [np.setdiff1d(CALIBRATION, fold) for fold in folds]
        return sum(((ridge(features[r], target[r], strength)(features[f]) - target[f]) ** 2).sum()
                   for r, f in zip(rest, folds))
    strength = min((1.0, 10.0, 100.0, 1000.0), key=error)
    return ridge(features[CALIBRATION], target[CALIBRATION], strength)(features)


def all_candidates(little, shifted, display, calibration, quality):
    """Scores per frame of every candidate, and the decay chosen for the memory miners."""
    each = [{**m.row_scores(rows, display), **m.memory_scores(little, i, display),
             **m.shift_scores(rows, shifted[i], display)} for i, rows in enumerate(little)]
    table = {name: np.array([row[name] for row in each], float) for name in each[0]}
    slope, offset = calibration
    kinds = {"p = score": (1, 0), "plain": (2, 0), "calibrated": (slope, offset)}
    decays = {}
    for name, (a, b) in kinds.items():
        by_decay = {d: m.run(m.ExpectedLoss(display, a, b, d), little) for d in DECAYS}
        table[f"expected F1, {name}"] = by_decay[0.0]
        decays[name] = max(DECAYS[1:], key=lambda d: gain_ratio(
            chosen(by_decay[d], CALIBRATION, 0.2), quality[CALIBRATION]))
        table[f"expected F1 with memory, {name}"] = by_decay[decays[name]]
    table["learned head (ridge, 11 features)"] = learned_head(table, HEAD_FEATURES, quality)
    table["learned head + memory"] = learned_head(
        table, HEAD_FEATURES + ("expected F1 with memory, calibrated",), quality)
    table["expected F1 calibrated + flicker"] = \
        table["expected F1, calibrated"] + 0.5 * table["flicker (rows unmatched)"]
    table["memory calibrated + shift disagreement .5 (2 runs)"] = \
        table["expected F1 with memory, calibrated"] \
        + 0.5 * table["shift disagreement, IoU .5 (2 runs)"]
    table["ORACLE (best possible)"] = 1 - quality
    return table, decays


def offline_row(score, quality):
    held, loss = quality[HELD_OUT], {}
    uploaded = chosen(score, HELD_OUT, 0.2)
    low, high, sure = interval(uploaded, held)
    for upload in UPLOADS:
        loss[str(upload)] = round(gain_ratio(chosen(score, HELD_OUT, upload), held), 2)
    return {"calibration": round(gain_ratio(chosen(score, CALIBRATION, 0.2),
                                            quality[CALIBRATION]), 2),
            "held_out": loss, "interval": [low, high], "p_at_least_1_5": sure,
            "agreement": round(float(np.where(uploaded, 1, held).mean()), 4),
            "smoothed": {str(w): [round(gain_ratio(chosen(ema(score, w), frames, 0.2),
                                                   quality[frames]), 2)
                                  for frames in (CALIBRATION, HELD_OUT)] for w in (0.5, 0.25)}}


class Quantile:
    """Upload when the score is above the (1 - upload) quantile of the last `window` scores."""

    def __init__(self, upload, window=100):
        self.upload, self.window, self.scores = upload, window, []

    def __call__(self, score):
        past = np.sort(self.scores[-self.window:])
        self.scores.append(score)
        if len(past) < 10:
            return False
        return bool(score > past[max(0, int(np.ceil((1 - self.upload) * len(past) - 1e-9)) - 1)])


class Fixed:
    def __init__(self, upload, scores):
        self.threshold = np.quantile(scores, 1 - upload)

    def __call__(self, score):
        return bool(score > self.threshold)


class Bucket:
    """The running quantile with a hard budget: each frame earns `upload`, each upload costs 1.

    At most `capacity` uploads are saved for a hard stretch; the bucket starts half full.
    """

    def __init__(self, upload, capacity=20, window=100):
        self.upload, self.capacity, self.tokens = upload, capacity, capacity / 2
        self.quantile = Quantile(upload, window)

    def __call__(self, score):
        self.tokens = min(self.capacity, self.tokens + self.upload)
        uploaded = self.quantile(score) and self.tokens >= 1
        self.tokens -= uploaded
        return uploaded


def online(score_of, rule, frames, after=None):
    """Runs from frame 0; score_of(index) is called in order, after(index) follows an upload."""
    uploaded = np.zeros(len(frames), bool)
    for index in range(len(frames)):
        uploaded[index] = rule(score_of(index))
        if uploaded[index] and after:
            after(index)
    return uploaded


def online_row(uploaded, quality):
    up, held = uploaded[HELD_OUT], quality[HELD_OUT]
    calibration = uploaded[CALIBRATION]
    return {"uploaded": round(float(up.mean()), 3), "ratio": round(gain_ratio(up, held), 2),
            "interval": interval(up, held)[:2], "agreement": round(float(np.where(up, 1, held).mean()), 4),
            "calibration": [round(float(calibration.mean()), 3),
                            round(gain_ratio(calibration, quality[CALIBRATION]), 2)]}


def online_study(table, quality, names):
    return {name: {"fixed": online_row(online(table[name].__getitem__, Fixed(
                       0.2, table[name][CALIBRATION]), quality), quality),
                   "quantile": online_row(online(table[name].__getitem__, Quantile(0.2), quality), quality),
                   "bucket": online_row(online(table[name].__getitem__, Bucket(0.2), quality), quality)}
            for name in names}


def feedback_study(little, reference, quality, table, display, settings):
    """What the answers of the cloud add: known only for uploaded frames, after the upload."""
    results, base = {}, table["expected F1 with memory, p = score"]
    slope, offset, decay = settings
    for seen in (0.5, 0.7, 0.85):
        miner = m.ExpectedLoss(display, slope, offset, decay)
        cache = {"rows": None, "age": 0}

        def score_of(index):
            return miner(little[index])
        results[f"cloud rows become the memory (decay {decay})"] = online_row(
            online(score_of, Quantile(0.2), quality, lambda i: miner.learn(reference[i])), quality)
        for weight in (0.3, 1.0):
            state = {"loss": 0.0}

            def with_last(index):
                state["loss"] *= seen
                return base[index] + weight * state["loss"]

            def observe(index):
                state["loss"] = 1 - quality[index]
            results[f"memory + {weight} * last seen loss * {seen}^age"] = online_row(
                online(with_last, Quantile(0.2), quality, observe), quality)

        def against_cloud(index):
            cache["age"] += 1
            if cache["rows"] is None:
                return base[index]
            shown = little[index][little[index][:, 4] >= display]
            return base[index] + 0.5 * seen ** cache["age"] * m.disagreement(shown, cache["rows"])

        def remember(index):
            cache.update(rows=reference[index], age=0)
        results[f"memory + .5 * {seen}^age * disagreement with the last cloud rows"] = online_row(
            online(against_cloud, Quantile(0.2), quality, remember), quality)
    return results


def study(path, display):
    record, little, shifted, big = load(path)
    reference = [rows[rows[:, 4] >= record["referenceScore"]] for rows in big]
    quality = frame_quality(little, reference, display)
    slope, offset = fit_calibration(little, reference, CALIBRATION)
    table, decays = all_candidates(little, shifted, display, (slope, offset), quality)
    random = np.random.default_rng(0)
    lucky = [gain_ratio(random.permutation(len(HELD_OUT)) < 0.2 * len(HELD_OUT),
                        quality[HELD_OUT]) for _ in range(4000)]
    report = {"display": display, "slope": float(slope), "offset": float(offset), "decays": decays,
              "edge_only": {"calibration": float(quality[CALIBRATION].mean()),
                            "held_out": float(quality[HELD_OUT].mean())},
              "random_95": [round(float(v), 2) for v in np.percentile(lucky, (2.5, 97.5))],
              "offline": {name: offline_row(score, quality) for name, score in table.items()},
              "online": online_study(table, quality, [n for n in table if n.startswith((
                  "expected", "memory", "shift", "learned", "Sedna", "band .2", "flicker (", "lowest"))]),
              "feedback": feedback_study(little, reference, quality, table, display,
                                         (1, 0, decays["p = score"]))}
    return report, table, quality


def main():
    models = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path, default=models / "vtest/records.json")
    parser.add_argument("--display", type=float, default=0.3)
    parser.add_argument("--out", type=Path, default=models / "scripts/study-miners.json")
    options = parser.parse_args()
    report, _, _ = study(options.records, options.display)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print({k: v for k, v in report.items() if k not in ("offline", "online", "feedback")})
    for name, row in sorted(report["offline"].items(), key=lambda r: -r[1]["held_out"]["0.2"]):
        print(f"{name:52s} {row['calibration']:5.2f} {row['held_out']} {row['interval']} "
              f"{row['p_at_least_1_5']} {row['agreement']} {row['smoothed']}")
    for name, rules in report["online"].items():
        print(f"{name:52s}", {k: (v["uploaded"], v["ratio"], v["interval"], v["calibration"])
                              for k, v in rules.items()})
    for name, row in report["feedback"].items():
        print(f"{name:70s}", row)


if __name__ == "__main__":
    main()
