import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileHnswlib, hnswlibFile } from "./install-hnswlib.ts";
import { venvPython } from "./python.ts";

/** A part of the peers that could not be installed. */
export interface NotInstalled {
  readonly part: string;
  readonly reason: string;
}

const folder = fileURLToPath(new URL(".", import.meta.url));

interface Part {
  readonly name: string;
  /** Files that define what to install. `stamp` stores their hash after the installation. */
  readonly from: readonly string[];
  readonly stamp: string;
  /** A file that exists after the installation. */
  readonly made: string;
  install(): void;
}

const parts: readonly Part[] = [
  {
    name: "npm packages",
    from: ["package.json", "package-lock.json"],
    stamp: "node_modules/.installed",
    made: join(folder, "node_modules/usearch/package.json"),
    install: () => command(npm(), ["ci", "--ignore-scripts"]),
  },
  {
    name: "hnswlib, as published",
    from: ["install-hnswlib.ts"],
    stamp: "node_modules/.hnswlib-published",
    made: hnswlibFile("published"),
    install: () => compileHnswlib("published"),
  },
  {
    name: "hnswlib, native",
    from: ["install-hnswlib.ts"],
    stamp: "node_modules/.hnswlib-native",
    made: hnswlibFile("native"),
    install: () => compileHnswlib("native"),
  },
  {
    name: "numpy",
    from: ["requirements.txt"],
    stamp: ".venv/.installed",
    made: venvPython,
    install: installPython,
  },
];

/**
 * Installs missing peers of the kernels into bench/peers: npm packages without their install scripts, hnswlib
 * compiled on this machine, and numpy in a virtual environment. Each part may fail independently. The failed
 * parts are returned with their reasons, and the next call retries them.
 */
export async function installPeers({
  onLine = () => {},
}: { readonly onLine?: (line: string) => void } = {}): Promise<NotInstalled[]> {
  const failed: NotInstalled[] = [];
  for (const { name, from, stamp, made, install } of parts) {
    const hash = createHash("sha256");
    for (const file of from) hash.update(readFileSync(join(folder, file)));
    const wanted = `${hash.digest("hex")} ${process.platform} ${process.arch}\n`;
    const file = join(folder, stamp);
    if (existsSync(made) && existsSync(file) && readFileSync(file, "utf8") === wanted) continue;
    onLine(`installing ${name} ...`);
    try {
      install();
      writeFileSync(file, wanted);
    } catch (error) {
      const reason = lastLine(error);
      onLine(`could not install ${name}: ${reason}`);
      failed.push({ part: name, reason });
    }
  }
  return failed;
}

function installPython(): void {
  const found = ["python3", "python"].find((name) =>
    works(name, ["-c", "import sys; assert sys.version_info >= (3, 11)"]),
  );
  if (!found) throw new Error("expected Python 3.11 or later on PATH; found none");
  if (!works(venvPython, ["-c", "import pip"])) {
    rmSync(join(folder, ".venv"), { recursive: true, force: true });
    command(found, ["-m", "venv", ".venv"]);
  }
  command(venvPython, [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--only-binary=:all:",
    "-r",
    "requirements.txt",
  ]);
}

const npm = (): string => (process.platform === "win32" ? "npm.cmd" : "npm");

function command(program: string, args: readonly string[]): void {
  execFileSync(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
}

function works(program: string, args: readonly string[]): boolean {
  try {
    command(program, args);
    return true;
  } catch {
    return false;
  }
}

/** Returns the relevant last line of a program's output, or the reason why it could not start. */
function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string | Buffer; message: string };
  const lines = String(stderr ?? "")
    .trim()
    .split("\n")
    .filter((line) => line && !/^npm (warn|notice)|complete log of this run/.test(line));
  return (
    lines.find((line) => /failed, reason|Error: /.test(line)) ??
    lines.findLast((line) => /error/i.test(line)) ??
    lines.at(-1) ??
    message.split("\n")[0]!
  );
}
