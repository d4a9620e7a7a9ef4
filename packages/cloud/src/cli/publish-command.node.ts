import { modelTasks } from "@sedna-js/core/vision";
import { defineCommand } from "citty";
import { UsageError } from "@sedna-js/core/check";
import { withUsageErrors, wholeNumber } from "./command-args.ts";
import { checkArgs } from "@sedna-js/core/check";
import { readOptionFile } from "./keygen-command.node.ts";
import { publishModel } from "../models/publish-model.node.ts";
import { readSigningKey } from "../models/signing-key.node.ts";

const args = {
  model: {
    type: "string",
    description: "Path of the ONNX file; files that it refers to must be in the same folder",
    valueHint: "file",
  },
  name: { type: "string", description: "The model's name" },
  version: { type: "string", description: "Whole number above the published version; default: the next" },
  task: {
    type: "string",
    description: `Task of the model: ${Object.keys(modelTasks).join(", ")}`,
    default: "tensors",
  },
  option: {
    type: "string",
    description: "Options of the task: key=value, separated by commas",
    valueHint: "key=value",
  },
  labels: { type: "string", description: "Names of the classes, separated by commas" },
  license: { type: "string", description: "SPDX expression", valueHint: "Apache-2.0" },
  key: { type: "string", description: "Private key that keygen created", valueHint: "file" },
  out: {
    type: "string",
    description: "The model's own folder, such as models/NAME, where serve --models finds models",
    valueHint: "directory",
  },
  golden: {
    type: "boolean",
    description: "Run the model on seeded inputs, so that edges can compare their outputs",
  },
  "rollback-of": {
    type: "string",
    description: "Mark this version as an intentional rollback of the given version",
  },
} as const;

/** `sedna-cloud publish`: signs a new version of a model and publishes it for edges. */
export const publishCommand = defineCommand({
  meta: {
    name: "sedna-cloud publish",
    description: "Sign a new version of a model and publish it for edges",
  },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    for (const name of ["model", "name", "license", "key", "out"] as const)
      if (!given[name]) throw new UsageError(`--${name}: expected a value; got none`);
    if (!Object.hasOwn(modelTasks, given.task))
      throw new UsageError(
        `--task: expected one of ${Object.keys(modelTasks).join(", ")}; got ${given.task}`,
      );
    const options = taskOptions(given.option);
    const pem = await readOptionFile("key", given.key!);
    const manifest = await withUsageErrors(() =>
      publishModel({
        model: given.model!,
        name: given.name!,
        task: { name: given.task, options },
        license: given.license!,
        key: readSigningKey(pem),
        directory: given.out!,
        ...(given.version !== undefined && { version: wholeNumber("version", given.version) }),
        ...(given.labels && { labels: given.labels.split(",").map((label) => label.trim()) }),
        ...(given["rollback-of"] !== undefined && {
          rollbackOf: wholeNumber("rollback-of", given["rollback-of"]),
        }),
        ...(given.golden && { golden: {} }),
      }),
    );
    process.stdout.write(
      `${JSON.stringify({ name: manifest.name, version: manifest.version, files: manifest.files.length, bytes: manifest.files.reduce((sum, { size }) => sum + size, 0) })}\n`,
    );
  },
});

/** Parses `a=1,b=x`. Numbers, true and false are converted. */
function taskOptions(text: string | undefined): Record<string, unknown> | undefined {
  if (!text) return undefined;
  return Object.fromEntries(
    text.split(",").map((pair) => {
      const [, key, value] = /^\s*([A-Za-z]\w*)=(.*?)\s*$/.exec(pair) ?? [];
      if (key === undefined || value === undefined)
        throw new UsageError(`--option: expected key=value; got ${JSON.stringify(pair)}`);
      return [
        key,
        value === "true"
          ? true
          : value === "false"
            ? false
            : value !== "" && Number.isFinite(Number(value))
              ? Number(value)
              : value,
      ];
    }),
  );
}
