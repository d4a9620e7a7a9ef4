export { sednaModelStore } from "./sedna-model-store.node.ts";
