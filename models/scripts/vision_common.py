"""Shared pieces of the model scripts: video frames, resizing, NanoDet, tiny_person, matching.

Everything here is numpy; onnxruntime is imported only by `session`. Boxes are float arrays of
rows [x1, y1, x2, y2, score] in the pixels of the original frame.
"""
import hashlib
import subprocess

import numpy as np

FRAME_W, FRAME_H = 768, 576
TINY_W, TINY_H, STRIDE = 288, 216, 8
GRID_W, GRID_H = TINY_W // STRIDE, TINY_H // STRIDE
TEACHER_SIZE = 416
TEACHER_THRESHOLD = 0.45
MATCH_IOU = 0.5
MEAN_BGR = np.array([103.53, 116.28, 123.675], np.float32)
STD_BGR = np.array([57.375, 57.12, 58.395], np.float32)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def read_frames(video, width=FRAME_W, height=FRAME_H):
    """Yield every frame of the video as uint8 [height, width, 3] RGB, decoded by ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(video), "-vsync", "0",
               "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    size = width * height * 3
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=size) as process:
        while True:
            data = process.stdout.read(size)
            if len(data) < size:
                break
            yield np.frombuffer(data, np.uint8).reshape(height, width, 3)
    if process.returncode != 0:
        raise RuntimeError(f"ffmpeg failed on {video}")


def resize_positions(source, target):
    """Low index, high index and weight of a 1-D bilinear resize: half-pixel centres, edge clamp."""
    position = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    low = np.floor(position).astype(int)
    return low, np.minimum(low + 1, source - 1), (position - low).astype(np.float32)


def resize(frame, width, height):
    """Stretch uint8 [H, W, 3] to float32 [3, height, width] (0..255), bilinear, no antialiasing."""
    low, high, weight = resize_positions(frame.shape[0], height)
    weight = weight[:, None, None]
    rows = frame[low] * (1 - weight) + frame[high] * weight
    low, high, weight = resize_positions(frame.shape[1], width)
    weight = weight[:, None]
    return (rows[:, low] * (1 - weight) + rows[:, high] * weight).transpose(2, 0, 1)


def session(path, threads=1):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def iou(first, second):
    """IoU matrix of two box arrays."""
    first, second = np.asarray(first, float).reshape(-1, 5), np.asarray(second, float).reshape(-1, 5)
    left_top = np.maximum(first[:, None, :2], second[None, :, :2])
    right_bottom = np.minimum(first[:, None, 2:4], second[None, :, 2:4])
    overlap = np.clip(right_bottom - left_top, 0, None).prod(2)
    area_a = np.clip(first[:, 2:4] - first[:, :2], 0, None).prod(1)
    area_b = np.clip(second[:, 2:4] - second[:, :2], 0, None).prod(1)
    return overlap / np.maximum(area_a[:, None] + area_b[None] - overlap, 1e-9)


def nms(boxes, threshold=0.5):
    """Greedy non-maximum suppression, best score first; a box with IoU > threshold is dropped."""
    boxes = np.asarray(boxes, float).reshape(-1, 5)
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    overlap = iou(boxes, boxes)
    keep = []
    for index in range(len(boxes)):
        if all(overlap[index, other] <= threshold for other in keep):
            keep.append(index)
    return boxes[keep]


def clip_boxes(boxes, width=FRAME_W, height=FRAME_H):
    boxes = boxes.copy()
    boxes[:, 0:4:2] = boxes[:, 0:4:2].clip(0, width)
    boxes[:, 1:4:2] = boxes[:, 1:4:2].clip(0, height)
    return boxes


def teacher_input(frame):
    """NanoDet input: stretched, planar BGR, normalised by mean and standard deviation."""
    bgr = resize(frame, TEACHER_SIZE, TEACHER_SIZE)[::-1]
    return ((bgr - MEAN_BGR[:, None, None]) / STD_BGR[:, None, None])[None].astype(np.float32)


def teacher_boxes(outputs, threshold, label=0, width=FRAME_W, height=FRAME_H):
    """Boxes of one class whose best class it is, from the six NanoDet outputs."""
    scores = {o.shape[1]: o[0] for o in outputs if o.shape[2] == 80}
    sides = {o.shape[1]: o[0] for o in outputs if o.shape[2] == 44}
    found = [np.zeros((0, 5))]
    for stride in (8, 16, 32):
        grid = TEACHER_SIZE // stride
        score, side = scores[grid * grid], sides[grid * grid]
        cells = np.nonzero((score.argmax(1) == label) & (score[:, label] >= threshold))[0]
        bins = side[cells].reshape(-1, 4, 11).astype(float)
        bins = np.exp(bins - bins.max(2, keepdims=True))
        distance = (bins / bins.sum(2, keepdims=True) * np.arange(11)).sum(2) * stride
        x, y = (cells % grid + 0.5) * stride, (cells // grid + 0.5) * stride
        boxes = np.stack([x - distance[:, 0], y - distance[:, 1],
                          x + distance[:, 2], y + distance[:, 3], score[cells, label]], 1)
        found.append(boxes)
    boxes = np.concatenate(found)
    boxes[:, :4] *= np.array([width, height, width, height]) / TEACHER_SIZE
    return nms(clip_boxes(boxes, width, height))


def run_teacher(model, frame, threshold=TEACHER_THRESHOLD):
    outputs = model.run(None, {model.get_inputs()[0].name: teacher_input(frame)})
    return teacher_boxes(outputs, threshold)


def tiny_input(frame):
    """tiny_person input: stretched to 288x216, planar RGB, 0..1."""
    return (resize(frame, TINY_W, TINY_H) / 255)[None].astype(np.float32)


def shift_input(image, pixels):
    """The input moved right and down by some pixels, with the edge repeated."""
    padded = np.pad(image, ((0, 0), (0, 0), (pixels, 0), (pixels, 0)), mode="edge")
    return padded[:, :, :image.shape[2], :image.shape[3]]


def tiny_boxes(heat, ltrb, threshold, shift=0, width=FRAME_W, height=FRAME_H):
    """Boxes from a heat map [rows, columns] and distances [4, rows, columns].

    A cell counts when its heat is the largest of its 3x3 neighbourhood; then NMS 0.5.
    `shift` is taken off every coordinate (input pixels) before scaling to the frame.
    """
    padded = np.pad(heat, 1, constant_values=-1)
    rows, columns = heat.shape
    neighbours = [padded[y:y + rows, x:x + columns] for y in range(3) for x in range(3)]
    peak_y, peak_x = np.nonzero((heat >= np.max(neighbours, 0)) & (heat >= threshold))
    x, y = (peak_x + 0.5) * STRIDE - shift, (peak_y + 0.5) * STRIDE - shift
    left, top, right, bottom = ltrb[:, peak_y, peak_x].astype(float)
    boxes = np.stack([x - left, y - top, x + right, y + bottom,
                      heat[peak_y, peak_x].astype(float)], 1)
    boxes[:, :4] *= np.array([width / TINY_W, height / TINY_H] * 2)
    return nms(clip_boxes(boxes, width, height))


def run_tiny(model, image, threshold, shift=0):
    heat, ltrb = model.run(["heatmap", "ltrb"], {"image": image})
    return tiny_boxes(heat[0, 0], ltrb[0], threshold, shift)


def match(found, truth, threshold=MATCH_IOU):
    """Greedy matching, best score first, each to its best free truth box.

    Returns (true positives, false positives, false negatives).
    """
    found, truth = np.asarray(found, float).reshape(-1, 5), np.asarray(truth, float).reshape(-1, 5)
    overlap = iou(found, truth)
    free = np.ones(len(truth), bool)
    hits = 0
    for index in np.argsort(-found[:, 4], kind="stable"):
        candidates = np.where(free, overlap[index], -1)
        if len(candidates) and candidates.max() >= threshold:
            free[candidates.argmax()] = False
            hits += 1
    return hits, len(found) - hits, len(truth) - hits


def f1(true_positive, false_positive, false_negative):
    """F1 from counts; 1 when there is nothing to find and nothing was found."""
    total = 2 * true_positive + false_positive + false_negative
    return 1.0 if total == 0 else 2 * true_positive / total


def evaluate(found, truth, threshold):
    """Pooled F1, precision and recall, and the mean F1 per frame, at a score threshold."""
    counts = np.array([match(boxes[boxes[:, 4] >= threshold], label)
                       for boxes, label in zip(found, truth)])
    hits, false, missed = counts.sum(0)
    return {"threshold": threshold, "f1": round(f1(hits, false, missed), 4),
            "precision": round(hits / max(1, hits + false), 4),
            "recall": round(hits / max(1, hits + missed), 4),
            "frame_f1": round(float(np.mean([f1(*row) for row in counts])), 4)}
