import { exposeEstimator, headEstimator } from "@sedna-js/edge-agent";
import { digitsHead } from "./digits-head.ts";

// The Worker that trains in a tab: a softmax on features that the page computes.
exposeEstimator(() => headEstimator({ features: "samples", head: digitsHead }));
