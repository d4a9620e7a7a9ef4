/** The models that the visitor can push. */
export type Push = "good" | BadPush;

/** The kinds of bad models. */
export type BadPush = "nan" | "worse" | "bit" | "forged";

/** A bad model as shown to the visitor. */
export interface BadModel {
  readonly push: BadPush;
  readonly title: string;
  /** What is wrong, and which of the agent's checks must detect it. */
  readonly about: string;
}

/** The bad models, each for a different check of the agent. */
export const badModels: readonly BadModel[] = [
  {
    push: "nan",
    title: "It outputs NaN",
    about:
      "Signed and intact, but its weights are broken. The golden case in its manifest must catch it before it processes a frame.",
  },
  {
    push: "worse",
    title: "It detects people in the wrong places",
    about:
      "Signed, intact, and it passes its own golden case. Only live frames reveal the problem: shadow runs beside the old version must catch it.",
  },
  {
    push: "bit",
    title: "One bit changed in transit",
    about: "The file does not match the signed manifest. Its hash must catch it before it is loaded.",
  },
  {
    push: "forged",
    title: "Another key signed it",
    about:
      "A perfect model from a stranger who uses the name of a trusted key. The signature must catch it before any of it is downloaded.",
  },
];
