import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { SednaError } from "@sedna-js/core";
import { maskCredentials } from "./mask-credentials.ts";

/** A running ffmpeg process. */
export interface FfmpegProcess {
  readonly pid: number | undefined;
  /** The output of the process. */
  readonly stdout: Readable;
  /** Resolves when the process has ended and its pipes are closed. Never rejects. */
  readonly ended: Promise<FfmpegEnd>;
  /** Sends SIGTERM, and SIGKILL after two seconds. Resolves when the process has ended. */
  stop(): Promise<void>;
}

/** Exit status and error output of an ffmpeg process. */
export interface FfmpegEnd {
  /** Exit code, or `null` if a signal ended the process or it never started. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Error if the process could not be started. */
  readonly failure?: SednaError;
  /** Last lines of the error output, without credentials. */
  readonly complaint: string;
}

const KILL_AFTER_MS = 2000;
const COMPLAINT_LINES = 5;
const COMPLAINT_CHARACTERS = 4000;

/**
 * Starts ffmpeg without a shell and without standard input. `action` is the action for error messages.
 *
 * @throws {SednaError} `source-failed`, retryable, if the system has no file descriptors left for the
 * process's pipes.
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
    // Without file descriptors Node creates no pipes and emits the error later as well.
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
  // The end of the process is reported. Ignore a pipe that breaks with it.
  child.stdout.on("error", () => {});
  child.stderr.on("error", () => {});

  const ended = new Promise<FfmpegEnd>((resolve) => {
    const lines = (): string =>
      maskCredentials(complaint.trim().split(/\r?\n/).slice(-COMPLAINT_LINES).join("; "));
    child.once("error", (cause) => {
      // Node also emits "error" if a signal could not be delivered. The process then continues and ends
      // later.
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
      // Nothing reads the output any more. A full pipe, or one not read to its end, would delay the "close"
      // event.
      child.stdout.destroy();
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
        return void (await ended);
      child.kill("SIGTERM");
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        // If `ffmpeg` is a script, a child process of the script may hold the pipe open forever.
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
    "install it (Debian: apt-get install ffmpeg; macOS: brew install ffmpeg; Windows: winget install ffmpeg) or set its path with the option ffmpeg";
  // A lack of memory or processes is temporary and does not mean that ffmpeg is missing.
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
