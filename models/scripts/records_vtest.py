"""Runs tiny_person and NanoDet over every frame of vtest and writes the rows of both as JSON.

The file lets miners be studied and tested without a model, a video or a GPU. Per frame:
  little   rows [x1, y1, x2, y2, score], score >= 0.05 after NMS 0.5;
  shifted  the same for the input moved right and down by 4 pixels (edge repeated), with the shift
           taken off the rows again;
  big      NanoDet persons, score >= 0.2.
Coordinates are pixels of the 768x576 frame with 1 decimal, scores have 4 decimals. Frames 530-794
were never used for training; see train_tiny_person.py for the split.
Needs:   numpy, onnxruntime, ffmpeg. Takes under a minute.
"""
import argparse
import json
from pathlib import Path

import vision_common as vc

LITTLE_THRESHOLD, BIG_THRESHOLD, SHIFT = 0.05, 0.2, 4


def compact(boxes):
    return [[*(round(float(v), 1) for v in row[:4]), round(float(row[4]), 4)] for row in boxes]


def record(frame, little, teacher):
    image = vc.tiny_input(frame)
    return {"little": compact(vc.run_tiny(little, image, LITTLE_THRESHOLD)),
            "shifted": compact(vc.run_tiny(little, vc.shift_input(image, SHIFT),
                                           LITTLE_THRESHOLD, SHIFT)),
            "big": compact(vc.run_teacher(teacher, frame, BIG_THRESHOLD))}


def arguments():
    models = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path, default=models / "vtest/vtest.mp4")
    parser.add_argument("--teacher", type=Path, default=models / "nanodet-g-416/model.onnx")
    parser.add_argument("--little", type=Path, default=models / "tiny-person/model.onnx")
    parser.add_argument("--out", type=Path, default=models / "vtest/records.json")
    return parser.parse_args()


def main():
    options = arguments()
    little, teacher = vc.session(options.little), vc.session(options.teacher, threads=2)
    frames = [record(frame, little, teacher) for frame in vc.read_frames(options.video)]
    head = {
        "about": "rows [x1, y1, x2, y2, score] of tiny_person and NanoDet persons on vtest",
        "width": vc.FRAME_W, "height": vc.FRAME_H, "framesPerSecond": 10,
        "shiftInputPixels": SHIFT, "nmsIou": 0.5,
        "minimumScore": {"little": LITTLE_THRESHOLD, "shifted": LITTLE_THRESHOLD,
                         "big": BIG_THRESHOLD},
        "referenceScore": vc.TEACHER_THRESHOLD,
        "split": {"train": [0, 399], "calibration": [400, 519], "heldOut": [530, 794]},
        "sha256": {"video": vc.sha256(options.video), "little": vc.sha256(options.little),
                   "big": vc.sha256(options.teacher)}}
    lines = [json.dumps(frame, separators=(",", ":")) for frame in frames]
    text = json.dumps(head, indent=1)[:-2] + ',\n "frames": [\n' + ",\n".join(lines) + "\n ]\n}\n"
    options.out.write_text(text)
    print(f"{len(frames)} frames, {len(text)} bytes")


if __name__ == "__main__":
    main()
