export { bigModelService, type BigModelServiceOptions } from "./big-model-service.ts";
export { createCloud, type Cloud, type CloudOptions } from "./create-cloud.ts";
export { sampleService, type SampleServiceOptions } from "./sample-service.ts";
export { memorySamples, type SamplePage, type SampleStore } from "./sample-store.ts";
export type { SednaCallback } from "./sedna-routes.ts";
export type { ServedEstimator } from "./served-model.ts";
export type { Logger, Service, ServiceContext } from "./service.ts";
export { directorySamples, onnxFile, serve, sharpDecoder } from "#platform";
export type { OnnxFileOptions, ServeOptions, Serving } from "#platform";
