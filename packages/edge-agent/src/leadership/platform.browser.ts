export { becomeLeader } from "./become-leader.browser.ts";
