import { checkDeadline, withDeadline } from "../../async/deadline.ts";
import { describeValue, importOptional, messageOf, SednaError } from "../../errors.ts";

import { readAtMost } from "../../async/read-at-most.ts";
import { s3Failure } from "./s3-failure.ts";
import {
  checkHash,
  checkWeightKey,
  sha256Hex,
  tooManyBytes,
  type WeightStore,
} from "../../weight-store/weight-store.ts";

/** Options of {@link s3Weights}. The names in brackets are the environment variables of Sedna's workers. */
export interface S3WeightsOptions {
  /** [S3_ENDPOINT_URL] Endpoint of any S3-compatible server. Without a scheme, https is used. */
  readonly endpoint: string;
  /** [AGG_DATA_PATH] `s3://bucket/prefix`: Sedna's `aggDataPath`. */
  readonly aggDataPath: string;
  /** [ACCESS_KEY_ID] */
  readonly accessKeyId: string;
  /**
   * [SECRET_ACCESS_KEY] On a web page, visitors can read it: use a key with no more permissions than the
   * visitor has.
   */
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Region. Default `us-east-1`, which servers other than Amazon's accept. */
  readonly region?: string;
  /** Deadline of one request, including its body, in ms. Default 60,000. */
  readonly deadlineMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Clock, in Unix ms. Default: `Date.now`. */
  readonly now?: () => number;
}

interface S3Request {
  readonly method: "GET" | "PUT" | "DELETE";
  readonly key: string;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal | undefined;
}

/** Metadata header with an object's hash, for readers that have no other hash to compare. */
const HASH_HEADER = "x-amz-meta-sha256";

/**
 * Creates a weight store in a bucket, below `aggDataPath`, with `aws4fetch`, which is loaded on the first
 * request. The signature covers the hash of the bytes, so the server rejects bytes that were corrupted in
 * transit. It does not retry; the caller must.
 *
 * @throws {TypeError} If the endpoint or `aggDataPath` is invalid.
 */
export function s3Weights(options: S3WeightsOptions): WeightStore {
  const {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    region = "us-east-1",
    fetch = globalThis.fetch,
    now = Date.now,
  } = options;
  const base = baseOf(options);
  const deadlineMs = checkDeadline(options.deadlineMs ?? 60_000);
  const keys = {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    service: "s3",
    region,
    cache: new Map<string, ArrayBuffer>(),
  };
  // A device's clock may be hours off. S3 rejects signatures that are older than 15 minutes, and then reports
  // its own time.
  let clockOffMs = 0;

  /** Returns `undefined` if the object does not exist; a missing bucket is an error. */
  const send = async (
    { method, key, body }: S3Request,
    signal: AbortSignal,
  ): Promise<Response | undefined> => {
    const action = `${method} ${key} by S3`;
    const { AwsV4Signer } = await importOptional("aws4fetch", { action, load: () => import("aws4fetch") });
    const hash = await sha256Hex(body ?? new Uint8Array(0));
    const once = async (): Promise<Response> => {
      const datetime = new Date(now() + clockOffMs).toISOString().replace(/[:-]|\.\d{3}/g, "");
      const signer = new AwsV4Signer({
        ...keys,
        method,
        url: `${base}/${key}`,
        datetime,
        headers: { "x-amz-content-sha256": hash, ...(body && { [HASH_HEADER]: hash }) },
      });
      const { url, headers } = await signer.sign();
      signal.throwIfAborted();
      try {
        return await fetch(url, {
          method,
          headers,
          signal,
          redirect: "manual",
          cache: "no-store",
          ...(body && { body }),
        });
      } catch (cause) {
        signal.throwIfAborted();
        throw new SednaError(
          `${action}: expected a response of ${base}; the connection failed: ${messageOf(cause)}`,
          { code: "cloud-unreachable", retryable: true, cause },
        );
      }
    };
    for (let clockWasSet = false; ; clockWasSet = true) {
      const response = await once();
      if (response.ok) return response;
      const failure = await s3Failure(response, action);
      if (failure.code === "NoSuchKey" && method !== "PUT") return undefined;
      if (failure.serverTime === undefined || clockWasSet) throw failure.error;
      clockOffMs = failure.serverTime - now();
    }
  };
  const within = <Result>(
    request: S3Request,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> =>
    withDeadline(work, {
      deadlineMs,
      action: `${request.method} ${request.key} by S3`,
      signal: request.signal,
    });

  return {
    async put(key, bytes, { signal } = {}) {
      const request = { method: "PUT", key: checkWeightKey(key), body: bytes, signal } as const;
      await within(request, async (limit) => void (await (await send(request, limit))?.body?.cancel()));
    },
    async get(key, { maxBytes, sha256, signal }) {
      const request = { method: "GET", key: checkWeightKey(key), signal } as const;
      return within(request, async (limit) => {
        const response = await send(request, limit);
        if (!response) return undefined;
        const bytes = await readAtMost(response, { maxBytes, signal: limit, what: `get ${key}` });
        if (!bytes) throw tooManyBytes(key, { maxBytes, got: "more" });
        await checkHash(bytes, { key, hashes: [sha256, response.headers.get(HASH_HEADER) ?? undefined] });
        return bytes;
      });
    },
    async delete(key, { signal } = {}) {
      const request = { method: "DELETE", key: checkWeightKey(key), signal } as const;
      await within(request, async (limit) => void (await (await send(request, limit))?.body?.cancel()));
    },
  };
}

/**
 * Returns the URL of `aggDataPath`, with the bucket in the path: every server accepts this form, even by IP
 * address.
 */
function baseOf({ endpoint, aggDataPath }: S3WeightsOptions): string {
  const text = /^[a-z]+:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`;
  let origin: URL;
  try {
    origin = new URL(text);
  } catch (cause) {
    throw new TypeError(`use S3: expected endpoint as a URL; got ${describeValue(endpoint)}`, { cause });
  }
  if (!/^https?:$/.test(origin.protocol) || origin.href !== `${origin.origin}/`)
    throw new TypeError(
      "use S3: expected endpoint as http(s)://host:port, without a path, a user name or a password",
    );
  const place = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[A-Za-z0-9_-][A-Za-z0-9._=-]*)*)\/?$/.exec(
    aggDataPath,
  );
  if (!place)
    throw new TypeError(
      `use S3: expected aggDataPath as s3://bucket/prefix; got ${describeValue(aggDataPath)}`,
    );
  return `${origin.origin}/${place[1]}${place[2]}`;
}
