import { onlyInNode } from "../http/only-in-node.ts";

export const directorySamples = (): never => onlyInNode("keep samples in a directory");
