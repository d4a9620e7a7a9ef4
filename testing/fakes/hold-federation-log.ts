import { directoryFederationLog } from "../../packages/cloud/src/federation/log/directory-federation-log.node.ts";

// A process that keeps a federation's log open until it is killed.

await directoryFederationLog(process.argv[2]!).open();
process.on("disconnect", () => process.exit());
process.send!("open");
setInterval(() => {}, 1000);
