import type { Frame, SampleSource } from "@sedna-js/core";
import type { ZodMiniType } from "zod/mini";

/** A file that a source skipped, and why. */
export interface SkippedFile {
  readonly path: string;
  readonly error: unknown;
}

/** The settings of a job's source, as its kind's schema parses them. */
export type JobSource = Readonly<Record<string, unknown>>;

/**
 * A kind of source that a job can name: all that jobs, their messages, and their documentation need of it.
 */
export interface JobSourceKind {
  /** One sentence for people; docs/edge-device.md repeats it. */
  readonly about: string;
  /** Settings; the key that names the kind is one of them. */
  readonly schema: ZodMiniType;
  /** True if the naming key holds a path, which is relative to the job file. */
  readonly isPath?: boolean;
  /** True if the naming key may hold a password, which messages must not show. */
  readonly isSecret?: boolean;
  /** Opens the source. `settings` are what `schema` has parsed. */
  open(settings: never, options: { readonly onSkip: (skipped: SkippedFile) => void }): SampleSource<Frame>;
}
