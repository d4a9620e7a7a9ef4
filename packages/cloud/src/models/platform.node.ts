export { directoryModels } from "./directory-models.node.ts";
export { publishModel } from "./publish-model.node.ts";
export { createSigningKey, readSigningKey, signKeySet, signManifest } from "./signing-key.node.ts";
