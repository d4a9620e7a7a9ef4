import { randomUUID } from "node:crypto";
import { access, constants, open, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunCheck } from "./health-check.ts";

/** Whether an agent can keep its data here, found out by writing. */
export async function checkDirectory(directory: string): ReturnType<RunCheck> {
  const existing = await nearest(directory);
  const fix = `give it to the user that runs sedna-edge: chown, or set data to another directory`;
  if (existing !== directory) {
    const isAllowed = await access(existing, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    return isAllowed
      ? { status: "ok", found: `${directory} will be made` }
      : { status: "fail", found: `${directory} is not there, and ${existing} does not let it be made`, fix };
  }
  const about = await stat(directory);
  if (!about.isDirectory())
    return { status: "fail", found: `${directory} is no directory`, fix: "set data to another place" };
  // Permissions may say yes where a read-only mount or a full disk says no: so a file is written, and taken away.
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

/** The directory, or the nearest above it that exists. */
export async function nearest(directory: string): Promise<string> {
  const isThere = await stat(directory).then(
    () => true,
    () => false,
  );
  return isThere || dirname(directory) === directory ? directory : nearest(dirname(directory));
}
