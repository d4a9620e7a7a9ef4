export { platformChecks } from "./doctor.browser.ts";
