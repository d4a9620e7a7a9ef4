/** Prefix of the names of Sedna's own clients, so that no device session has the name of one. */
export const SEDNA_PREFIX = "sedna-v1/";
