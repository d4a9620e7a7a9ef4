export { platformChecks } from "./doctor.node.ts";
