// Manifests and key sets come from an untrusted network: every field is checked, and unknown fields are
// rejected. The signatures cover the value of the text, so the checked manifest must contain exactly what the
// text contains.

/** Maximum size of a manifest or key set, in bytes. */
export const MAX_BYTES = 2 ** 20;

/** Maximum size of a model's file, and of all its files together, in bytes: as much as a page can hold. */
export const MAX_FILE_BYTES = 2 ** 32;
