import type { DecodeImage, Estimator, Task } from "@sedna-js/core";
import type { Cloud } from "../create-cloud.ts";
import type { SampleStore } from "../sample-store.ts";

// What only a server process can do. platform.node.ts does it; elsewhere platform.other.ts throws an error that
// says so: there a cloud is a function that the host calls.

/** Options of {@link serve}. */
export interface ServeOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Default 127.0.0.1: to be reached from outside is a decision. */
  readonly host?: string;
  /** How long a shutdown waits for requests under way, in ms. Default 10000. */
  readonly drainMs?: number;
}

/** A cloud on a socket. */
export interface Serving {
  readonly url: string;
  /** Stops listening, answers what is under way, ends. */
  close(): Promise<void>;
}

/** Options of {@link onnxFile}. */
export interface OnnxFileOptions<Sample, Result> {
  readonly path: string;
  readonly task: Task<Sample, Result>;
  /** CPU threads of a run. Default: as many as ONNX Runtime likes. */
  readonly threads?: number;
}

/** Puts a cloud on a socket. Rejects when the port is taken. */
export declare function serve(cloud: Cloud, options: ServeOptions): Promise<Serving>;

/** An ONNX file on `onnxruntime-node`, as an estimator to serve. */
export declare function onnxFile<Sample, Result>(options: OnnxFileOptions<Sample, Result>): Estimator<Sample, Result>;

/** Decodes JPEG, PNG and WebP with the optional package `sharp`. */
export declare function sharpDecoder(): DecodeImage;

/** Samples as files of one directory, which is made where there is none. */
export declare function directorySamples(path: string): SampleStore;
