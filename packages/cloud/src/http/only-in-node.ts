import { SednaError } from "@sedna-js/core";

/** Throws the error of a function that needs Node. */
export const onlyInNode = (what: string): never => {
  throw new SednaError(`${what}: expected Node; here call the cloud as a function of requests`, {
    code: "unsupported-platform",
  });
};
