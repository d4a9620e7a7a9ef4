export { becomeLeader } from "./become-leader.node.ts";
