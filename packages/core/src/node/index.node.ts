/** Files and locks of Node that the edge and the cloud share. */

export { lockDirectory, type DirectoryLock } from "./lock-directory.node.ts";
export { syncDirectory, writeFileDurably } from "./write-file.node.ts";
