export { directorySamples } from "./directory-samples.node.ts";
