/** What the visitor can push. */
export type Push = "good" | BadPush;

/** What can be wrong with a model. */
export type BadPush = "nan" | "worse" | "bit" | "forged";

/** A bad model as the visitor meets it. */
export interface BadModel {
  readonly push: BadPush;
  readonly title: string;
  /** What is wrong, and which of the agent's checks has to see it. */
  readonly about: string;
}

/** The bad models, each for another check of the agent. */
export const badModels: readonly BadModel[] = [
  {
    push: "nan",
    title: "It answers NaN",
    about:
      "Signed and intact, but its weights are broken. The golden case in its manifest has to catch it, before a frame sees it.",
  },
  {
    push: "worse",
    title: "It looks in the wrong places",
    about:
      "Signed, intact, and it even passes its own golden case. Only live frames show it: shadowing beside the old version has to catch it.",
  },
  {
    push: "bit",
    title: "One bit changed on the way",
    about: "The file is not what the signed manifest says. Its hash has to catch it, before it is loaded.",
  },
  {
    push: "forged",
    title: "Someone else signed it",
    about:
      "A perfect model from a stranger who claims our key's name. The signature has to catch it, before a byte of it is fetched.",
  },
];
