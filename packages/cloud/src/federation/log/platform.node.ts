export { directoryFederationLog } from "./directory-federation-log.node.ts";
