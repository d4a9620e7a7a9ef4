/** This package's version, as the commands tell it. */
export const version = "0.1.0";
