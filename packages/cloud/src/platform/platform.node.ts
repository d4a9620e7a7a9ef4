export { directorySamples } from "../directory-samples.node.ts";
export { onnxFile, sharpDecoder } from "../onnx.node.ts";
export { serve } from "../serve.node.ts";
