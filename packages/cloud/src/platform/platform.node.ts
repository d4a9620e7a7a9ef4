export { directoryModels } from "../models/directory-models.node.ts";
export { directorySamples } from "../samples/directory-samples.node.ts";
export { directoryFederationLog } from "../federation/log/directory-federation-log.node.ts";
export { fileDeviceRegistry } from "../federation/sessions/file-device-registry.node.ts";
export { onnxFile, sharpDecoder } from "../big-model/onnx.node.ts";
export { publishModel } from "../models/publish-model.node.ts";
export { serve } from "../http/serve.node.ts";
export { createSigningKey, readSigningKey, signKeySet, signManifest } from "../models/signing-key.node.ts";
