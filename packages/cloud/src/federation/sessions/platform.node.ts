export { fileDeviceRegistry } from "./file-device-registry.node.ts";
