"""Trains tiny_person, the little pedestrian detector of the joint-inference example.

Teacher: NanoDet-g 416, persons with score >= 0.45, on the frames of vtest. No hand labels.
Split:   frames 0-399 train; 400-519 are for choosing thresholds and miners; 530-794 are held out
         and only measured. Valid in this one scene, for this one camera.
Input:   `image` f32 [1, 3, 216, 288], RGB 0..1, the frame stretched (bilinear, half-pixel centres,
         no antialiasing). Outputs: `heatmap` [1, 1, 27, 36] in 0..1 and `ltrb` [1, 4, 27, 36], the
         distances from the cell centre to the box sides in input pixels.
Recipe:  3x3 conv-BN-ReLU 12 (stride 2), 24 (s2), 32 (s2), 48, 48 (dilation 2), 48 and a 1x1 head;
         Gaussian targets, penalty-reduced focal loss and L1; AdamW, one-cycle, 80 epochs; random
         shift and zoom, flip, brightness and contrast. Seeded, one thread, so that a machine
         repeats its result; batch norm is folded into the convolutions by the exporter.
Needs:   numpy, torch, onnx, onnxruntime, ffmpeg. Takes about five minutes on one CPU core.
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import vision_common as vc

TRAIN_FRAMES = range(0, 400)
CALIBRATION_FRAMES = range(400, 520)
HELD_OUT_FRAMES = range(530, 795)
THRESHOLDS = (0.2, 0.3, 0.4, 0.5)


def conv(inputs, outputs, stride=1, dilation=1):
    layer = nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


class TinyPerson(nn.Module):
    """Returns heat-map logits and distances while training, the model outputs after `eval`."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv(3, 12, 2), conv(12, 24, 2), conv(24, 32, 2),
                                  conv(32, 48), conv(48, 48, dilation=2), conv(48, 48))
        self.head = nn.Conv2d(48, 5, 1)
        nn.init.constant_(self.head.bias[0], -3.0)
        for layer in self.body.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_uniform_(layer.weight, a=5 ** 0.5)

    def forward(self, image):
        output = self.head(self.body(image))
        heat, ltrb = output[:, :1], F.softplus(output[:, 1:] + 3) * 8
        return (heat if self.training else torch.sigmoid(heat)), ltrb


def load_examples(video, teacher_path):
    """Inputs [n, 3, 216, 288] and the teacher boxes of every frame."""
    teacher = vc.session(teacher_path, threads=2)
    images, labels = [], []
    for frame in vc.read_frames(video):
        images.append(vc.tiny_input(frame)[0])
        labels.append(vc.run_teacher(teacher, frame))
    return np.stack(images), labels


def to_input_pixels(boxes):
    return boxes[:, :4] * np.array([vc.TINY_W / vc.FRAME_W, vc.TINY_H / vc.FRAME_H] * 2)


def target(boxes):
    """Heat map, distances and distance weights for boxes in input pixels."""
    heat = np.zeros((vc.GRID_H, vc.GRID_W), np.float32)
    ltrb = np.zeros((4, vc.GRID_H, vc.GRID_W), np.float32)
    weight = np.zeros((vc.GRID_H, vc.GRID_W), np.float32)
    grid_x, grid_y = np.arange(vc.GRID_W), np.arange(vc.GRID_H)
    centres_x, centres_y = (grid_x + 0.5) * vc.STRIDE, (grid_y + 0.5) * vc.STRIDE
    for x1, y1, x2, y2 in boxes:
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        if not (0 <= x < vc.TINY_W and 0 <= y < vc.TINY_H):
            continue
        cell_x, cell_y = int(x / vc.STRIDE), int(y / vc.STRIDE)
        sigma_x = max(0.5, (x2 - x1) / vc.STRIDE / 5)
        sigma_y = max(0.5, (y2 - y1) / vc.STRIDE / 5)
        bump = np.outer(np.exp(-((grid_y - cell_y) / sigma_y) ** 2 / 2),
                        np.exp(-((grid_x - cell_x) / sigma_x) ** 2 / 2)).astype(np.float32)
        better = (bump > heat) & (bump > 0.3)
        sides = np.stack(np.broadcast_arrays(
            centres_x[None] - x1, centres_y[:, None] - y1,
            x2 - centres_x[None], y2 - centres_y[:, None])).astype(np.float32)
        ltrb = np.where(better, sides, ltrb)
        weight = np.where(better, bump, weight)
        heat = np.maximum(heat, bump)
    return heat, ltrb, weight


def augment(image, boxes, random):
    """Random zoom and shift (one affine warp), flip, brightness and contrast."""
    zoom = random.uniform(0.85, 1.2)
    shift_x, shift_y = random.uniform(-20, 20), random.uniform(-16, 16)
    flip = -1 if random.random() < 0.5 else 1
    theta = torch.tensor([[flip / zoom, 0, -flip * shift_x / zoom * 2 / vc.TINY_W],
                          [0, 1 / zoom, -shift_y / zoom * 2 / vc.TINY_H]], dtype=torch.float32)
    grid = F.affine_grid(theta[None], (1, 3, vc.TINY_H, vc.TINY_W), align_corners=False)
    image = F.grid_sample(image[None], grid, padding_mode="border", align_corners=False)[0]
    image = (image - 0.5) * random.uniform(0.8, 1.2) + 0.5 + random.uniform(-0.1, 0.1)
    x = (boxes[:, 0::2] - vc.TINY_W / 2) * zoom * flip + shift_x + vc.TINY_W / 2
    y = (boxes[:, 1::2] - vc.TINY_H / 2) * zoom + shift_y + vc.TINY_H / 2
    boxes = np.stack([x.min(1), y.min(1), x.max(1), y.max(1)], 1)
    return image.clamp(0, 1), boxes


def losses(heat, ltrb, wanted):
    """Penalty-reduced focal loss (summed per object) and weighted L1 of the distances."""
    goal, sides, weight = wanted
    prob = torch.sigmoid(heat[:, 0]).clamp(1e-4, 1 - 1e-4)
    positive = (goal > 0.999).float()
    focal = -(positive * (1 - prob) ** 2 * prob.log()
              + (1 - positive) * (1 - goal) ** 4 * prob ** 2 * (1 - prob).log())
    distance = ((ltrb - sides).abs().sum(1) * weight).sum() / weight.sum().clamp(min=1)
    return focal.sum() / positive.sum().clamp(min=1), distance


def train(images, labels, options):
    random = np.random.default_rng(options.seed)
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    model = TinyPerson()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    batches = -(-len(images) // options.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, options.rate, total_steps=batches * options.epochs)
    images = torch.from_numpy(images)
    for epoch in range(options.epochs):
        model.train()
        order, started, total = random.permutation(len(images)), time.time(), 0.0
        for batch in np.array_split(order, batches):
            examples = [augment(images[i], labels[i], random) for i in batch]
            wanted = [torch.from_numpy(np.stack(part))
                      for part in zip(*(target(boxes) for _, boxes in examples))]
            focal, distance = losses(*model(torch.stack([image for image, _ in examples])), wanted)
            loss = focal + options.box_weight * distance
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() / batches
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: loss {total:.3f}, {time.time() - started:.1f} s", flush=True)
    return model.eval()


def export(model, path):
    torch.onnx.export(model, torch.zeros(1, 3, vc.TINY_H, vc.TINY_W), str(path), opset_version=13,
                      input_names=["image"], output_names=["heatmap", "ltrb"])


def largest_difference(model, exported, images):
    """Largest absolute difference between torch and onnxruntime over some images."""
    worst = 0.0
    for image in images:
        with torch.no_grad():
            expected = model(torch.from_numpy(image[None]))
        for ours, theirs in zip(expected, exported.run(None, {"image": image[None]})):
            worst = max(worst, float(np.abs(ours.numpy() - theirs).max()))
    return worst


def milliseconds(exported, image, runs=50):
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        exported.run(None, {"image": image})
        times.append((time.perf_counter() - started) * 1e3)
    return round(float(np.median(times)), 3)


def measure(model, path, images, labels, teacher_path):
    exported = vc.session(path)
    found = [vc.run_tiny(exported, image[None], min(THRESHOLDS)) for image in images]
    results = {name: [vc.evaluate([found[i] for i in part], [labels[i] for i in part], threshold)
                      for threshold in THRESHOLDS]
               for name, part in (("train", TRAIN_FRAMES), ("calibration", CALIBRATION_FRAMES),
                                  ("held_out", HELD_OUT_FRAMES))}
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": vc.sha256(path),
            "parameters": sum(p.numel() for p in model.parameters()),
            "teacher_sha256": vc.sha256(teacher_path), "teacher_threshold": vc.TEACHER_THRESHOLD,
            "torch_onnx_largest_difference": largest_difference(model, exported, images[::100]),
            "milliseconds_one_thread": milliseconds(exported, images[:1]),
            "agreement_with_teacher": results}


def arguments():
    models = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path, default=models / "vtest/vtest.mp4")
    parser.add_argument("--teacher", type=Path, default=models / "nanodet-g-416/model.onnx")
    parser.add_argument("--out", type=Path, default=models / "tiny-person/model.onnx")
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=6e-3)
    parser.add_argument("--box-weight", type=float, default=0.15)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    options = arguments()
    images, labels = load_examples(options.video, options.teacher)
    part = list(TRAIN_FRAMES)
    model = train(images[part], [to_input_pixels(labels[i]) for i in part], options)
    export(model, options.out)
    metrics = measure(model, options.out, images, labels, options.teacher)
    options.out.with_name("metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()
