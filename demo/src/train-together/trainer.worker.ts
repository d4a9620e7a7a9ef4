import { exposeEstimator, headEstimator } from "@sedna-js/edge-agent";
import { digitsHead } from "./digits-head.ts";

// What trains in a tab: a softmax on features that the page has made.
exposeEstimator(() => headEstimator({ features: "samples", head: digitsHead }));
