import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { SednaError } from "@sedna-js/core";
import { maskCredentials } from "./mask-credentials.ts";

/** A running ffmpeg. */
export interface FfmpegProcess {
  readonly pid: number | undefined;
  /** What it writes. */
  readonly stdout: Readable;
  /** Settles when it has ended and its pipes are closed; never rejects. */
  readonly ended: Promise<FfmpegEnd>;
  /** Asks it to end, makes it end after two seconds, and resolves when it has. */
  stop(): Promise<void>;
}

/** How an ffmpeg ended. */
export interface FfmpegEnd {
  /** Its exit code; null where a signal ended it or it never ran. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not be started. */
  readonly failure?: SednaError;
  /** The last lines that it complained, without credentials. */
  readonly complaint: string;
}

const KILL_AFTER_MS = 2000;
const COMPLAINT_LINES = 5;
const COMPLAINT_CHARACTERS = 4000;

/**
 * Starts ffmpeg without a shell and without a standard input. `action` says in errors what it is for.
 * @throws {SednaError} `source-failed`, retryable, where the system has no room for another process's pipes.
 */
export function startFfmpeg(
  args: readonly string[],
  { ffmpeg, action }: { readonly ffmpeg: string; readonly action: string },
): FfmpegProcess {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
    ffmpeg,
    ["-hide_banner", "-nostdin", "-loglevel", "error", ...args],
    {
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      env: { ...process.env, AV_LOG_FORCE_NOCOLOR: "1" },
    },
  );
  if (!(child.stdout as Readable | undefined)) {
    // Out of file descriptors: Node then makes no pipes, and tells the error later as well.
    child.on("error", () => {});
    throw new SednaError(
      `${action}: expected the program ${ffmpeg} to start; the system has no file descriptors left`,
      { code: "source-failed", retryable: true },
    );
  }
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_CHARACTERS);
  });
  // Its end is what is told; a pipe that breaks with it is not news.
  child.stdout.on("error", () => {});
  child.stderr.on("error", () => {});

  const ended = new Promise<FfmpegEnd>((resolve) => {
    const lines = (): string =>
      maskCredentials(complaint.trim().split(/\r?\n/).slice(-COMPLAINT_LINES).join("; "));
    child.once("error", (cause) => {
      // Also sent where a signal could not be delivered: then it goes on, and ends later.
      if (child.pid === undefined)
        resolve({ code: null, signal: null, failure: missing(cause, { ffmpeg, action }), complaint: "" });
    });
    child.once("close", (code, signal) => resolve({ code, signal, complaint: lines() }));
  });

  return {
    pid: child.pid,
    stdout: child.stdout,
    ended,
    async stop() {
      // Nobody reads any more. A pipe that is full or never read to its end would keep "close" from coming.
      child.stdout.destroy();
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
        return void (await ended);
      child.kill("SIGTERM");
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        // A child of its own, where a script is in ffmpeg's place, may hold the pipe open for ever.
        child.stderr.destroy();
      }, KILL_AFTER_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function missing(
  cause: Error,
  { ffmpeg, action }: { readonly ffmpeg: string; readonly action: string },
): SednaError {
  const code = (cause as NodeJS.ErrnoException).code;
  const got = code === "ENOENT" ? "none" : maskCredentials(cause.message);
  const install =
    "install it (Debian: apt-get install ffmpeg; macOS: brew install ffmpeg; Windows: winget install ffmpeg) or say where it is with the option ffmpeg";
  // Out of memory or of processes is no lack of ffmpeg, and passes.
  if (code !== "ENOENT" && code !== "EACCES" && code !== "ENOTDIR")
    return new SednaError(`${action}: expected the program ${ffmpeg} to start; got ${got}`, {
      code: "source-failed",
      retryable: true,
      cause,
    });
  return new SednaError(`${action}: expected the program ${ffmpeg}; got ${got}: ${install}`, {
    code: "missing-dependency",
    cause,
  });
}
