import { onlyInNode } from "../../http/only-in-node.ts";

export const fileDeviceRegistry = (): never => onlyInNode("keep devices in a directory");
