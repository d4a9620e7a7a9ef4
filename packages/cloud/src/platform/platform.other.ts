import { SednaError } from "@sedna-js/core";

const onlyInNode = (what: string): never => {
  throw new SednaError(`${what}: expected Node; here call the cloud as a function of requests`, {
    code: "unsupported-platform",
  });
};

export const serve = (): never => onlyInNode("listen on a socket");
export const onnxFile = (): never => onlyInNode("read an ONNX file");
export const sharpDecoder = (): never => onlyInNode("decode pictures with sharp");
export const directorySamples = (): never => onlyInNode("keep samples in a directory");
export const directoryModels = (): never => onlyInNode("read models in a directory");
export const publishModel = (): never => onlyInNode("publish a model");
export const createSigningKey = (): never => onlyInNode("make a signing key");
export const readSigningKey = (): never => onlyInNode("read a signing key");
export const signManifest = (): never => onlyInNode("sign a manifest");
export const signKeySet = (): never => onlyInNode("sign a set of keys");
export const directoryFederationLog = (): never => onlyInNode("keep a federation's log in a directory");
export const fileDeviceRegistry = (): never => onlyInNode("keep devices in a directory");
