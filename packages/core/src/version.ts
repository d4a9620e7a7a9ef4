/** The version of this project's packages, which are released together. */
export const version = "0.1.0";
