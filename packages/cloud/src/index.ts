export { bigModelService, type BigModelServiceOptions } from "./big-model-service.ts";
export { createCloud, type Cloud, type CloudOptions } from "./create-cloud.ts";
export type { SednaCallback } from "./sedna-routes.ts";
export type { ServedEstimator } from "./served-model.ts";
export type { Logger, Service, ServiceContext } from "./service.ts";
export { onnxFile, serve, sharpDecoder } from "#platform";
export type { OnnxFileOptions, ServeOptions, Serving } from "#platform";
