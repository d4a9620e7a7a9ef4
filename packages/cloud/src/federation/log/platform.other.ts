import { onlyInNode } from "../../http/only-in-node.ts";

export const directoryFederationLog = (): never => onlyInNode("keep a federation's log in a directory");
