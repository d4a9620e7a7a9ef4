export { openDeviceKey } from "./device-key.browser.ts";
