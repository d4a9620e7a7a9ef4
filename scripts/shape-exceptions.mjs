// What may be larger than check-shape.mjs allows, and why. These lists only shrink.

/** Functions, as `file:name`. */
export const longFunctions = {};

/** Files. */
export const longFiles = {};

/** Parameter types, as `file:line`. */
export const wideTypes = {};
