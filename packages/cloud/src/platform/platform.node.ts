export { directoryModels } from "../directory-models.node.ts";
export { directorySamples } from "../directory-samples.node.ts";
export { directoryFederationLog } from "../federation/directory-federation-log.node.ts";
export { fileDeviceRegistry } from "../federation/file-device-registry.node.ts";
export { onnxFile, sharpDecoder } from "../onnx.node.ts";
export { publishModel } from "../publish-model.node.ts";
export { serve } from "../serve.node.ts";
export { createSigningKey, readSigningKey, signKeySet, signManifest } from "../signing-key.node.ts";
