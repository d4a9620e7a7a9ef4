import type { ServedModel, ServedResult, ServedSample } from "./served-model.ts";

/** The model as the routes of both protocols use it. */
export interface Served {
  readonly name: string;
  /**
   * Returns the model.
   * @throws {SednaError} `cloud-busy` until the model is loaded.
   */
  model(): ServedModel;
  readonly ready: boolean;
  /**
   * Queues a sample and resolves to its result. `read` creates the sample when its run starts, because
   * pictures decode to many times their size.
   */
  infer(
    read: () => ServedSample | Promise<ServedSample>,
    options: { readonly signal: AbortSignal },
  ): Promise<ServedResult>;
}
