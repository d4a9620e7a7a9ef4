export { watchPauses } from "./watch-pauses.browser.ts";
