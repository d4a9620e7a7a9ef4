import * as z from "zod/mini";
import { directory } from "../sources/directory.node.ts";
import { rtsp, videoFile, webcam } from "../sources/ffmpeg.node.ts";
import type { JobSourceKind } from "./job-source-kind.ts";
import { above, map, text, url, whole, yesNo } from "./schema-words.ts";

const fps = z.optional(above(240));
const width = z.optional(whole(16, 16_384));

const rtspSchema = map({ rtsp: url(["rtsp", "rtsps"], "rtsp://192.168.1.20/stream1"), fps, width });
const fileSchema = map({ file: text, fps: z._default(above(240), 5), width });
const directorySchema = map({ directory: text, watch: z._default(yesNo, true) });
const webcamSchema = map({ webcam: text, fps, width });

/**
 * The sources that a job can name, by the key that names the kind. A new source is a file in `sources/` and
 * a row here: parsing, messages, and paths follow from the row, and docs/edge-device.md must list it.
 */
export const jobSources = {
  rtsp: {
    about: "A camera on the network.",
    schema: rtspSchema,
    isSecret: true,
    open: ({ rtsp: address, ...rest }: z.infer<typeof rtspSchema>) => rtsp({ url: address, ...rest }),
  },
  file: {
    about: "A video file or a URL of one.",
    schema: fileSchema,
    isPath: true,
    open: ({ file, ...rest }: z.infer<typeof fileSchema>) => videoFile({ source: file, ...rest }),
  },
  directory: {
    about: "The pictures of a directory, and those that are added.",
    schema: directorySchema,
    isPath: true,
    open: ({ directory: path, watch }: z.infer<typeof directorySchema>, { onSkip }) =>
      directory(path, { watch, onSkip }),
  },
  webcam: {
    about: "A camera on this machine.",
    schema: webcamSchema,
    open: ({ webcam: device, ...rest }: z.infer<typeof webcamSchema>) => webcam({ device, ...rest }),
  },
} satisfies Readonly<Record<string, JobSourceKind>>;
