import { fieldsOf, jsonOf } from "./read-fields.ts";

/** Far more than two paths need. */
const MAX_BYTES = 2 ** 16;

/** Sedna's file in which the local controller announces a new model to a worker. */
export interface HotUpdateConfig {
  /** Path of the model file; `model_path` on the wire. */
  readonly modelPath: string;
  /** A Go time that differs for each model; `model_update_time` on the wire. */
  readonly modelUpdateTime: string;
}

/**
 * Parses the text of `model_config.json`. Unknown keys are ignored.
 *
 * @throws {WireError} If the text is not `{"model_config":{"model_path":"...","model_update_time":"..."}}`.
 *
 * Source: `MODEL_HOT_UPDATE_CONFIG` in Sedna's `core/base.py` and `pkg/localcontroller`.
 */
export function parseHotUpdateConfig(text: string): HotUpdateConfig {
  const what = "a hot update config";
  const config = fieldsOf(jsonOf(text, { what, maxBytes: MAX_BYTES }), what).object("model_config");
  const word = (name: string): string =>
    config.text(name, { most: MAX_BYTES, pattern: /^[^\0]*$/, expected: "no NUL" });
  return { modelPath: word("model_path"), modelUpdateTime: word("model_update_time") };
}
