// comlink ships this adapter without types.
declare module "comlink/dist/esm/node-adapter.mjs" {
  import type { Endpoint } from "comlink";
  export default function nodeEndpoint(worker: unknown): Endpoint;
}
