/** Heads on frozen features: layout, and export to ONNX. */

export { flatOf, headLayout, type HeadTensor, tensorsOf } from "./head-layout.ts";
export { headToOnnx, type HeadToOnnxOptions } from "./head-to-onnx.ts";
