export { openDeviceKey } from "./device-key.node.ts";
