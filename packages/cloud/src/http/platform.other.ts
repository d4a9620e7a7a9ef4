import { onlyInNode } from "./only-in-node.ts";

export const serve = (): never => onlyInNode("listen on a socket");
