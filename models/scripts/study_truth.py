"""Compares both models and the miners with hand-made labels of some vtest frames.

Unlike study_miners.py this is accuracy: the little, the big and the joint answer against people
boxed by hand. A found box that no label claims and that lies mostly in an ignored region counts
neither way. Miners rank all held-out frames (or all frames) and upload the top 20 %; what counts
is what happens on the labelled ones among them.
Needs:   numpy.
"""
import argparse
import json
from pathlib import Path

import numpy as np

import study_miners as study
import vision_common as vc


def covered(box, regions):
    """Part of the box inside the region that covers most of it."""
    regions = np.array(regions, float).reshape(-1, 4)
    if not len(regions):
        return 0.0
    sides = np.minimum(box[2:4], regions[:, 2:]) - np.maximum(box[:2], regions[:, :2])
    return float(sides.clip(0).prod(1).max() / max(1e-9, (box[2:4] - box[:2]).prod()))


def counts(found, label):
    """True positives, false positives and false negatives of one frame."""
    truth = np.array([box + [1] for box in label["boxes"]], float).reshape(-1, 5)
    found = found[np.argsort(-found[:, 4], kind="stable")]
    overlap, free, hits, false = vc.iou(found, truth), np.ones(len(truth), bool), 0, 0
    for box, row in zip(found, overlap):
        row = np.where(free, row, -1)
        if len(row) and row.max() >= vc.MATCH_IOU:
            free[row.argmax()] = False
            hits += 1
        elif covered(box, label.get("ignore", [])) < 0.5:
            false += 1
    return hits, false, len(truth) - hits


def summary(rows):
    hits, false, missed = np.sum(rows, 0)
    return {"f1": round(vc.f1(hits, false, missed), 4),
            "precision": round(hits / max(1, hits + false), 4),
            "recall": round(hits / max(1, hits + missed), 4),
            "frame_f1": round(float(np.mean([vc.f1(*row) for row in rows])), 4)}


def models(frames, labels, little, big):
    results = {}
    for name, boxes, thresholds in (("little", little, (0.2, 0.3, 0.4, 0.5)),
                                    ("big", big, (0.3, 0.4, 0.45, 0.5))):
        for threshold in thresholds:
            results[f"{name} {threshold}"] = summary(
                [counts(boxes[i][boxes[i][:, 4] >= threshold], labels[i]) for i in frames])
    return results


def main():
    default = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path, default=default / "vtest/records.json")
    parser.add_argument("--labels", type=Path, default=default / "vtest/labels.json")
    parser.add_argument("--display", type=float, default=0.3)
    parser.add_argument("--out", type=Path, default=default / "scripts/study-truth.json")
    options = parser.parse_args()
    labels = {f["frame"]: f for f in json.loads(options.labels.read_text())["frames"]}
    record, little, _, big = study.load(options.records)
    _, table, quality = study.study(options.records, options.display)
    report = {}
    for part, frames in (("held_out", study.HELD_OUT), ("all", np.arange(len(little)))):
        labelled = [i for i in frames if i in labels]
        edge = [counts(little[i][little[i][:, 4] >= options.display], labels[i]) for i in labelled]
        cloud = [counts(big[i][big[i][:, 4] >= record["referenceScore"]], labels[i])
                 for i in labelled]
        worse = np.array([vc.f1(*c) - vc.f1(*e) for e, c in zip(edge, cloud)])
        joint = {}
        for name, score in {**table, "TRUE GAIN (oracle)": None}.items():
            if score is None:
                up = np.zeros(len(labelled), bool)
                up[np.argsort(-worse, kind="stable")[:round(0.2 * len(labelled))]] = True
            else:
                up = study.chosen(score, np.array(labelled), 0.2)
            joint[name] = {**summary([c if u else e for u, e, c in zip(up, edge, cloud)]),
                           "gain_over_random": round(float((up * worse).mean()
                                                           / (up.mean() * worse.mean())), 2)}
        report[part] = {"frames": len(labelled), "boxes": sum(len(labels[i]["boxes"]) for i in labelled),
                        "models": models(labelled, labels, little, big),
                        "random_20_frame_f1": round(float(
                            summary(edge)["frame_f1"] + 0.2 * worse.mean()), 4), "joint_20": joint}
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    for part, result in report.items():
        print(part, {k: v for k, v in result.items() if k not in ("joint_20", "models")})
        for kind in ("models", "joint_20"):
            for name, row in result[kind].items():
                print(f"  {name:52s} {row}")


if __name__ == "__main__":
    main()
