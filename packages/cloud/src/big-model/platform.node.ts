export { onnxFile, sharpDecoder } from "./onnx.node.ts";
