/** Encoding of model updates: f32, f16, int8, and topk. */

export {
  createUpdateEncoder,
  type EncodedUpdate,
  type UpdateEncoder,
  type UpdateFacts,
} from "./create-update-encoder.ts";
export { decodeUpdate, modelUpdate } from "./model-update.ts";
