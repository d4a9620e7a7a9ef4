import { SednaError } from "@sedna-js/core";

export function sednaModelStore(): never {
  throw new SednaError(
    "open Sedna's hot update config: expected Node; in a browser use a model store with a signed manifest",
    { code: "unsupported-platform" },
  );
}
