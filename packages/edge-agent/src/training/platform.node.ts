export { watchPauses } from "./watch-pauses.node.ts";
