/** MistNet: private features and the head trained on them. */

export { mistnetParameters, type MistnetParameters } from "./mistnet-parameters.ts";
export { privateRecords, recordPrivacy, type RecordPrivacy } from "./private-records.ts";
export { type MistnetTraining, trainMistnetHead } from "./train-mistnet-head.ts";
