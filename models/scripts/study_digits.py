"""Measures which miner earns its upload on the digit pair: real labels, 2,000 held-out digits.

Needs:   numpy, onnxruntime. Takes seconds.
"""
import argparse
import json
from pathlib import Path

import numpy as np

import train_digits as digits
import vision_common as vc


def sedna_cross_entropy(prob):
    """Sedna's confidence 1 + sum(p ln p) / ln(n); hard when below the threshold."""
    return 1 + (prob * np.log(np.maximum(prob, 1e-12))).sum(1) / np.log(prob.shape[1])


def gain(order_score, ratio, edge, cloud):
    order = np.argsort(order_score, kind="stable")[:round(ratio * len(edge))]
    return float((cloud[order].astype(float) - edge[order]).sum() / len(edge))


def main():
    models = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--digits", type=Path, default=models / "digits")
    parser.add_argument("--models", type=Path, default=models)
    parser.add_argument("--out", type=Path, default=models / "scripts/study-digits.json")
    options = parser.parse_args()
    images = digits.read_idx(options.digits / "mnist10k-images-idx3-ubyte.gz")[digits.TRAIN_COUNT:]
    labels = digits.read_idx(options.digits / "mnist10k-labels-idx1-ubyte.gz")[digits.TRAIN_COUNT:]
    images = images[:, None].astype(np.float32) / 255
    little, big = (vc.session(options.models / name / "model.onnx").run(None, {"image": images})[0]
                   for name in ("digits-little", "digits-big"))
    edge, cloud = little.argmax(1) == labels, big.argmax(1) == labels
    candidates = {**digits.scores(little), "Sedna CrossEntropy": sedna_cross_entropy(little),
                  "ORACLE (best possible)": edge.astype(float) - cloud}
    report = {"edge": float(edge.mean()), "cloud": float(cloud.mean()), "ranking": {}, "fixed": {}}
    for name, score in candidates.items():
        report["ranking"][name] = {}
        for ratio in digits.RATIOS:
            won = gain(score, ratio, edge, cloud)
            report["ranking"][name][str(ratio)] = {
                "accuracy": round(edge.mean() + won, 4),
                "gain_over_random": round(won / (ratio * (cloud.mean() - edge.mean())), 2)}
    for name, threshold in (("Sedna CrossEntropy", 0.5), ("Sedna CrossEntropy", 0.7),
                            ("Sedna CrossEntropy", 0.8), ("max_probability", 0.5),
                            ("max_probability", 0.8), ("max_probability", 0.9), ("margin", 0.6)):
        up = candidates[name] < threshold
        report["fixed"][f"{name} < {threshold}"] = {
            "uploaded": round(float(up.mean()), 4),
            "accuracy": round(float(np.where(up, cloud, edge).mean()), 4)}
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
