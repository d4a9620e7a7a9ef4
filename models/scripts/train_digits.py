"""Trains digits-little and digits-big, the digit pair of the joint-inference example.

Data:    10,000 MNIST digits as gzipped IDX files (already shuffled); the first 8,000 train, the
         last 2,000 are held out and only measured. The labels are real.
Input:   `image` f32 [N, 1, 28, 28] in 0..1; output `prob` f32 [N, 10], softmax probabilities.
Recipe:  little = average pool 2, 196-16-10; Adam 2e-3, batch 128, 12 epochs.
         big = conv 16, pool, conv 32, pool, dense 128, dropout 0.3; Adam 1e-3, batch 64, 8 epochs.
         Seeded, one thread; exported to ONNX opset 13 with a free batch size.
Needs:   numpy, torch, onnx, onnxruntime. Takes under a minute on one CPU core.
"""
import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import vision_common as vc

TRAIN_COUNT = 8000
RATIOS = (0.1, 0.2, 0.3, 0.5)


def read_idx(path):
    """Array of an IDX file of unsigned bytes, gzipped or not."""
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path} is not an IDX file of unsigned bytes")
    shape = np.frombuffer(data, ">u4", data[3], 4).astype(int)
    return np.frombuffer(data, np.uint8, -1, 4 + 4 * data[3]).reshape(shape)


def little_model():
    return nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(196, 16), nn.ReLU(),
                         nn.Linear(16, 10))


def big_model():
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(32 * 49, 128), nn.ReLU(), nn.Dropout(0.3),
                         nn.Linear(128, 10))


def train(model, images, labels, epochs, batch, rate, random):
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    model.train()
    for _ in range(epochs):
        for part in np.array_split(random.permutation(len(images)), -(-len(images) // batch)):
            loss = F.cross_entropy(model(images[part]), labels[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return nn.Sequential(model, nn.Softmax(1)).eval()


def export(model, path):
    torch.onnx.export(model, torch.zeros(1, 1, 28, 28), str(path), opset_version=13,
                      input_names=["image"], output_names=["prob"],
                      dynamic_axes={"image": {0: "N"}, "prob": {0: "N"}})


def milliseconds(exported, image, runs=200):
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        exported.run(None, {"image": image})
        times.append((time.perf_counter() - started) * 1e3)
    return round(float(np.median(times)), 4)


def measure(model, path, images, labels):
    """Metrics of an exported model and its held-out probabilities."""
    exported = vc.session(path)
    prob = exported.run(None, {"image": images})[0]
    with torch.no_grad():
        expected = model(torch.from_numpy(images)).numpy()
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": vc.sha256(path),
            "parameters": sum(p.numel() for p in model.parameters()),
            "torch_onnx_largest_difference": float(np.abs(prob - expected).max()),
            "milliseconds_one_thread": milliseconds(exported, images[:1]),
            "held_out_accuracy": round(float((prob.argmax(1) == labels).mean()), 4)}, prob


def scores(prob):
    """Three miners; the lowest score is uploaded first."""
    ordered = np.sort(prob, 1)
    entropy = -(prob * np.log(np.maximum(prob, 1e-12))).sum(1)
    return {"max_probability": ordered[:, -1], "margin": ordered[:, -1] - ordered[:, -2],
            "entropy": -entropy}


def cascade(little, big, labels):
    """Held-out accuracy when the given part of the digits goes to the big model."""
    answer, better = little.argmax(1) == labels, big.argmax(1) == labels
    results = {}
    for name, score in scores(little).items():
        order = np.argsort(score, kind="stable")
        results[name] = {}
        for ratio in RATIOS:
            uploaded = np.zeros(len(labels), bool)
            uploaded[order[:round(ratio * len(labels))]] = True
            results[name][str(ratio)] = round(float(np.where(uploaded, better, answer).mean()), 4)
    return results


def arguments():
    models = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--digits", type=Path, default=models / "digits",
                        help="folder of mnist10k-{images-idx3,labels-idx1}-ubyte.gz")
    parser.add_argument("--out", type=Path, default=models, help="folder for the two models")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    options = arguments()
    torch.set_num_threads(1)
    images = read_idx(options.digits / "mnist10k-images-idx3-ubyte.gz")
    labels = read_idx(options.digits / "mnist10k-labels-idx1-ubyte.gz").astype(np.int64)
    images = images[:, None].astype(np.float32) / 255
    train_images = torch.from_numpy(images[:TRAIN_COUNT])
    train_labels = torch.from_numpy(labels[:TRAIN_COUNT])
    metrics, probs = {}, {}
    for name, build, recipe in (("digits-little", little_model, (12, 128, 2e-3)),
                                ("digits-big", big_model, (8, 64, 1e-3))):
        torch.manual_seed(options.seed)
        random = np.random.default_rng(options.seed)
        model = train(build(), train_images, train_labels, *recipe, random)
        path = options.out / name / "model.onnx"
        path.parent.mkdir(exist_ok=True)
        export(model, path)
        metrics[name], probs[name] = measure(model, path, images[TRAIN_COUNT:],
                                             labels[TRAIN_COUNT:])
    metrics["cascade"] = cascade(probs["digits-little"], probs["digits-big"], labels[TRAIN_COUNT:])
    (options.out / "digits/metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()
