/** Begins the names of Sedna's own clients, so that no device's session is one of theirs. */
export const SEDNA_PREFIX = "sedna-v1/";
