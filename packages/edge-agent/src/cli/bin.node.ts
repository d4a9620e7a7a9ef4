import { stripVTControlCharacters } from "node:util";
import { defineCommand, renderUsage, runCommand, type CommandDef } from "citty";
import { version } from "@sedna-js/core/version";

/** Each command is imported on demand, so that a process loads only the code of the command that it runs. */
const commands: Readonly<Record<string, () => Promise<CommandDef>>> = {
  run: async () => (await import("./run-command.node.ts")).runCommand as CommandDef,
  train: async () => (await import("./train-command.node.ts")).trainCommand as CommandDef,
  status: async () => (await import("./status-command.node.ts")).statusCommand as CommandDef,
  doctor: async () => (await import("./doctor-command.node.ts")).doctorCommand as CommandDef,
  check: async () => (await import("./check-command.node.ts")).checkCommand as CommandDef,
};
const main = defineCommand({
  meta: {
    name: "sedna-edge",
    version,
    description: "The edge agent of sedna-js on a device: autonomous joint inference and federated training",
  },
  subCommands: commands,
});

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const [, , ...rawArgs] = process.argv;
const [first = ""] = rawArgs;
const named = Object.hasOwn(commands, first) ? commands[first] : undefined;
const wantsHelp = rawArgs.length === 0 || rawArgs.includes("--help") || rawArgs.includes("-h");
try {
  if (rawArgs.includes("--version")) {
    process.stdout.write(`${version}\n`);
  } else if (wantsHelp) {
    const usage = await renderUsage((await named?.()) ?? main);
    process.stdout.write(`${process.stdout.isTTY ? usage : stripVTControlCharacters(usage)}\n`);
  } else {
    await runCommand(main, { rawArgs });
  }
} catch (error) {
  const { name = "Error", message = String(error) } = error instanceof Error ? error : {};
  const isUsage = name === "UsageError" || name === "CLIError";
  // An invalid job is a usage error too. Its message already states the problem.
  const isJob = name === "WireError";
  say(`sedna-edge: ${stripVTControlCharacters(message)}`);
  if (isUsage) say(`Try: sedna-edge ${named ? `${first} ` : ""}--help`);
  if (isJob)
    say(`The fields of a job are described in docs/${first === "train" ? "training" : "edge-device"}.md`);
  process.exit(isUsage || isJob ? 2 : 1);
}
