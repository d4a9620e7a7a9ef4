import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { access, constants, open, rm, stat, statfs } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { DiagnoseOptions } from "./diagnose-options.ts";
import { type HealthCheck, megabytes, type RunCheck, runChecks } from "./health-check.ts";

const run = promisify(execFile);

/** Free bytes below which a model and its queue hardly fit. */
const LOW_DISK = 500e6;
const LOW_MEMORY = 200e6;

/** Implements `platformChecks` of the platform contract: checks Node, its native packages, and the device. */
export function platformChecks({
  directory,
  modelFile,
  needsFfmpeg = false,
}: DiagnoseOptions): Promise<readonly HealthCheck[]> {
  return runChecks({
    node: checkNode,
    "onnxruntime-node": () =>
      checkPackage("onnxruntime-node", {
        missing: "fail",
        without: "no model runs on this device",
        fix: "npm install onnxruntime-node (without a network: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node)",
      }),
    sharp: () =>
      checkPackage("sharp", {
        missing: "warn",
        without: "pictures can be neither read from a directory nor sent as JPEG",
        fix: "npm install sharp",
      }),
    ffmpeg: () => checkFfmpeg(needsFfmpeg),
    memory: checkMemory,
    ...(modelFile === undefined ? {} : { "model file": () => checkModelFile(modelFile) }),
    ...(directory === undefined
      ? {}
      : {
          "data directory": () => checkDirectory(resolve(directory)),
          disk: () => checkDisk(resolve(directory)),
        }),
  });
}

async function checkNode(): ReturnType<RunCheck> {
  const found = `${process.version}, ${process.platform} ${process.arch}`;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 20 || (major === 20 && minor >= 19)
    ? { status: "ok", found }
    : { status: "fail", found, fix: "install Node 20.19 or newer" };
}

/** Options of {@link checkPackage}. */
interface CheckPackageOptions {
  readonly missing: "warn" | "fail";
  readonly without: string;
  readonly fix: string;
}

/**
 * Loads a package in a child process, because a native package that does not fit the CPU kills its process.
 */
async function checkPackage(
  name: string,
  { missing, without, fix }: CheckPackageOptions,
): ReturnType<RunCheck> {
  let url: string;
  try {
    url = import.meta.resolve(name);
  } catch {
    return { status: missing, found: `not installed: ${without}`, fix };
  }
  const script = `await import(${JSON.stringify(url)}); process.stdout.write("loads")`;
  try {
    await run(process.execPath, ["--input-type=module", "-e", script], {
      timeout: 20_000,
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    return { status: "ok", found: "loads" };
  } catch (error) {
    const { signal, stderr = "" } = error as { readonly signal?: string | null; readonly stderr?: string };
    const why = signal
      ? `ended by ${signal}`
      : (/^\w*Error.*$/m.exec(stderr)?.[0] ?? "ended without a message");
    return {
      status: missing,
      found: `does not load (${why}): ${without}`,
      fix: `${fix}; a system with musl or an old CPU may need a system that the package is built for`,
    };
  }
}

async function checkFfmpeg(isNeeded: boolean): ReturnType<RunCheck> {
  try {
    const { stdout } = await run("ffmpeg", ["-version"], { timeout: 10_000 });
    const version = /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? "unknown version";
    return { status: "ok", found: version };
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    const found = code === "ENOENT" ? "not installed" : `does not run (${String(code)})`;
    if (!isNeeded) return { status: "ok", found: `${found}; this job's source does not need it` };
    return {
      status: "fail",
      found: `${found}: cameras and video files cannot be read`,
      fix: "install it (Debian: apt-get install ffmpeg; macOS: brew install ffmpeg; Windows: winget install ffmpeg)",
    };
  }
}

async function checkModelFile(file: string): ReturnType<RunCheck> {
  const opened = await open(file, "r");
  try {
    const about = await opened.stat();
    // Directories can be opened too.
    return about.isFile() && about.size > 0
      ? { status: "ok", found: `${file}, ${about.size} bytes, without a signature` }
      : {
          status: "fail",
          found: `${file} is ${about.isFile() ? "empty" : "no file"}`,
          fix: "set model.file to an ONNX file",
        };
  } finally {
    await opened.close();
  }
}

async function checkMemory(): ReturnType<RunCheck> {
  // In a container the container's memory limit applies.
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  const free = Math.min(freemem(), total);
  const found = `${megabytes(free)} of ${megabytes(total)} free`;
  return free >= LOW_MEMORY
    ? { status: "ok", found }
    : { status: "warn", found, fix: `leave ${megabytes(LOW_MEMORY)} for the agent and its model` };
}

async function checkDisk(directory: string): ReturnType<RunCheck> {
  const { bavail, bsize } = await statfs(await nearest(directory));
  const free = bavail * bsize;
  const found = `${megabytes(free)} free`;
  if (free >= LOW_DISK) return { status: "ok", found };
  return {
    status: free < LOW_DISK / 10 ? "fail" : "warn",
    found,
    fix: "free disk space, or set data to a larger disk and reduce samples.maxMegabytes",
  };
}

/** Checks by writing a file whether an agent can store its data in a directory. */
export async function checkDirectory(directory: string): ReturnType<RunCheck> {
  const existing = await nearest(directory);
  const fix = `make it writable for the user that runs sedna-edge (chown), or set data to another directory`;
  if (existing !== directory) {
    const isAllowed = await access(existing, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    return isAllowed
      ? { status: "ok", found: `${directory} will be made` }
      : { status: "fail", found: `${directory} does not exist and cannot be created in ${existing}`, fix };
  }
  const about = await stat(directory);
  if (!about.isDirectory())
    return { status: "fail", found: `${directory} is not a directory`, fix: "set data to another path" };
  // Permissions do not reveal a read-only mount or a full disk, so write a file and remove it.
  const probe = join(directory, `.probe-${randomUUID()}`);
  try {
    const file = await open(probe, "wx", 0o600);
    try {
      await file.write("sedna");
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    return {
      status: "fail",
      found: `${directory} cannot be written: ${(error as NodeJS.ErrnoException).code}`,
      fix,
    };
  } finally {
    await rm(probe, { force: true });
  }
  const isOpen = process.platform !== "win32" && (about.mode & 0o002) !== 0;
  return isOpen
    ? {
        status: "warn",
        found: `${directory} can be written by every user of this machine`,
        fix: `chmod o-w ${directory}`,
      }
    : { status: "ok", found: `${directory} can be written` };
}

/** Returns the directory, or its nearest ancestor that exists. */
async function nearest(directory: string): Promise<string> {
  const isThere = await stat(directory).then(
    () => true,
    () => false,
  );
  return isThere || dirname(directory) === directory ? directory : nearest(dirname(directory));
}
