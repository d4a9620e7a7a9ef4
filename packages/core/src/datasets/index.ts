/** Splits and pooling of labeled data. */

export { averagePool } from "./average-pool.ts";
export { dirichletSplit, type DirichletSplitOptions } from "./dirichlet-split.ts";
export { seededRandom } from "@sedna-js/wasm-kernels";
