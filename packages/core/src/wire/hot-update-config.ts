import { describeValue, WireError } from "../errors.ts";

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
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new WireError(`read a hot update config: expected JSON; got ${describeValue(text)}`, { cause });
  }
  const config = entry(body, "model_config");
  return { modelPath: word(config, "model_path"), modelUpdateTime: word(config, "model_update_time") };
}

function entry(object: unknown, key: string): unknown {
  if (typeof object !== "object" || object === null || !Object.hasOwn(object, key))
    throw new WireError(
      `read a hot update config: expected an object with ${key}; got ${describeValue(object)}`,
    );
  return (object as Record<string, unknown>)[key];
}

function word(object: unknown, key: string): string {
  const value = entry(object, key);
  if (typeof value !== "string" || value === "" || value.includes("\0"))
    throw new WireError(
      `read a hot update config: expected ${key} as a non-empty string; got ${describeValue(value)}`,
    );
  return value;
}
