export { jobSources } from "./job-sources.node.ts";
