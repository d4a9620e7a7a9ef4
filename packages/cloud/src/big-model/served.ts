import type { ServedModel, ServedResult, ServedSample } from "./served-model.ts";

/** What both protocols need of a service. */
export interface Served {
  readonly name: string;
  /** The model, once it is loaded. @throws {SednaError} `cloud-busy` before. */
  model(): ServedModel;
  readonly ready: boolean;
  /** `read` makes the sample when its turn has come: pictures unpack to many times their size. */
  infer(
    read: () => ServedSample | Promise<ServedSample>,
    options: { readonly signal: AbortSignal },
  ): Promise<ServedResult>;
}
