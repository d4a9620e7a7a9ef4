import { describe, finiteNumber, integer, oneOf, outOfRange } from "../module/check.ts";
import type { Fit, Size } from "./letterbox-plan.ts";

/** Red, green, and blue. */
export type Rgb = readonly [red: number, green: number, blue: number];

/**
 * Tensor format for {@link PerceptionKernels.imageToTensor}. Colors are in 0..255 and always in RGB order.
 */
export interface ImageToTensorSpec {
  /** Width of the tensor in pixels. */
  readonly width: number;
  readonly height: number;
  /** "letterbox" (the default) keeps the aspect ratio and centers the image; "stretch" fills the tensor. */
  readonly fit?: Fit;
  /** "nchw" (the default) stores one plane per channel; "nhwc" stores the channels of each pixel together. */
  readonly layout?: "nchw" | "nhwc";
  /** Channel order of the tensor: "rgb" (the default) or "bgr". */
  readonly channels?: "rgb" | "bgr";
  /** A tensor value is `(color - mean) / std`. Defaults: mean 0 and std 255, which give 0..1. */
  readonly mean?: Rgb;
  readonly std?: Rgb;
  /** Color of the border of "letterbox". Default: gray 114. */
  readonly pad?: Rgb | number;
}

/** Validated {@link ImageToTensorSpec} in the form that the backends use. */
export interface CheckedSpec {
  readonly tensor: Size;
  readonly fit: Fit;
  readonly interleaved: boolean;
  readonly bgr: boolean;
  /** `1 / std` and `-mean / std` as f32, red first. */
  readonly scale: Float32Array;
  readonly bias: Float32Array;
  /** Tensor values of the border, red first. */
  readonly border: Float32Array;
}

const action = "imageToTensor";
const MAX_SIDE_PIXELS = 16384;

/**
 * Validates the options of {@link PerceptionKernels.imageToTensor}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkSpec(spec: ImageToTensorSpec): CheckedSpec {
  const mean = color("mean", spec.mean ?? [0, 0, 0]);
  const std = color("std", spec.std ?? [255, 255, 255]);
  const pad = color(
    "pad",
    typeof spec.pad === "number" ? [spec.pad, spec.pad, spec.pad] : (spec.pad ?? [114, 114, 114]),
  );
  std.forEach((value, i) => {
    if (value <= 0) outOfRange({ action, name: `std[${i}]` }, { expected: "to be positive", got: value });
  });
  return {
    tensor: checkSize(action, spec),
    fit: oneOf(
      { action, name: "fit" },
      { value: spec.fit ?? "letterbox", choices: ["letterbox", "stretch"] },
    ),
    interleaved:
      oneOf({ action, name: "layout" }, { value: spec.layout ?? "nchw", choices: ["nchw", "nhwc"] }) ===
      "nhwc",
    bgr:
      oneOf({ action, name: "channels" }, { value: spec.channels ?? "rgb", choices: ["rgb", "bgr"] }) ===
      "bgr",
    scale: Float32Array.from(std, (value) => 1 / value),
    bias: Float32Array.from(std, (value, i) => -mean[i]! / value),
    border: Float32Array.from(std, (value, i) => (pad[i]! - mean[i]!) / value),
  };
}

/** Validates a width and a height of 1..16384 pixels. */
export function checkSize(action: string, { width, height }: Size): Size {
  return {
    width: integer({ action, name: "width" }, { value: width, least: 1, most: MAX_SIDE_PIXELS }),
    height: integer({ action, name: "height" }, { value: height, least: 1, most: MAX_SIDE_PIXELS }),
  };
}

function color(name: string, value: unknown): number[] {
  if (!Array.isArray(value) || value.length !== 3) {
    const got = Array.isArray(value) ? `an array of ${value.length}` : describe(value);
    throw new TypeError(`${action}: expected ${name} to be [red, green, blue]; got ${got}`);
  }
  return value.map((component, i) => finiteNumber({ action, name: `${name}[${i}]` }, component));
}
