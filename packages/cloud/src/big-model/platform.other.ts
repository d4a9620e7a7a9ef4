import { onlyInNode } from "../http/only-in-node.ts";

export const onnxFile = (): never => onlyInNode("read an ONNX file");

export const sharpDecoder = (): never => onlyInNode("decode pictures with sharp");
