// A small S3 server for tests, on a real socket. It verifies AWS Signature Version 4 with its own code,
// written from the specification, so that the signer is not tested against itself.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listenLocally } from "./receiver.ts";

/** Configuration of the server, and its failures. */
export interface S3ServerOptions {
  readonly buckets?: readonly string[];
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly region?: string;
  /** The server's clock: unix time in ms. */
  readonly now?: () => number;
  /** Called with each request before it is processed. Returns true if it has responded. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** A running server. */
export interface S3Server {
  readonly url: string;
  /** Stored objects, by `/bucket/key`. */
  readonly objects: Map<string, { bytes: Buffer; readonly meta: Readonly<Record<string, string>> }>;
  /** Method, path and status of each request so far. */
  readonly log: string[];
  close(): Promise<void>;
}

/** Maximum difference between a signature's time and the server's clock, in ms. */
const MAX_SKEW_MS = 15 * 60_000;

/** Starts the server on a free port. */
export async function startS3Server({
  buckets = ["weights"],
  accessKeyId = "tester",
  secretAccessKey = "secret/with+signs",
  region = "us-east-1",
  now = Date.now,
  intercept,
}: S3ServerOptions = {}): Promise<S3Server> {
  const objects: S3Server["objects"] = new Map();
  const log: string[] = [];
  const server = createServer(async (request, response) => {
    if (intercept?.(request, response)) return;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks);
    const path = decodeURIComponent(request.url!.split("?")[0]!);
    const done = (
      status: number,
      {
        headers = {},
        payload = "",
      }: { readonly headers?: Readonly<Record<string, string>>; readonly payload?: string | Buffer } = {},
    ): void => {
      log.push(`${request.method} ${path} ${status}`);
      response.writeHead(status, headers).end(payload);
    };
    const refuse = (
      status: number,
      { code, more = "" }: { readonly code: string; readonly more?: string },
    ): void =>
      done(status, {
        headers: { "content-type": "application/xml" },
        payload: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>for a test</Message>${more}</Error>`,
      });

    const fault = faultOf(request, { body, accessKeyId, secretAccessKey, region, now: now() });
    if (fault) return refuse(fault.status, fault);
    if (!buckets.includes(path.split("/")[1]!)) return refuse(404, { code: "NoSuchBucket" });
    const kept = objects.get(path);
    switch (request.method) {
      case "PUT": {
        const meta = Object.entries(request.headers).filter(([name]) => name.startsWith("x-amz-meta-")) as [
          string,
          string,
        ][];
        objects.set(path, { bytes: body, meta: Object.fromEntries(meta) });
        return done(200, { headers: { etag: `"${createHash("md5").update(body).digest("hex")}"` } });
      }
      case "GET":
        return kept
          ? done(200, {
              headers: {
                ...kept.meta,
                "content-type": "binary/octet-stream",
                "content-length": String(kept.bytes.length),
              },
              payload: kept.bytes,
            })
          : refuse(404, { code: "NoSuchKey" });
      case "DELETE":
        objects.delete(path);
        return done(204);
      default:
        return refuse(405, { code: "MethodNotAllowed" });
    }
  });
  return { objects, log, ...(await listenLocally(server)) };
}

interface Credentials {
  readonly body: Buffer;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly now: number;
}

/**
 * Returns the error of a request's signature, or `undefined` if the signature is valid. Source: AWS, "Create
 * a signed AWS API request" and "Authenticating Requests (S3)".
 */
function faultOf(
  { method, url, headers }: IncomingMessage,
  { body, accessKeyId, secretAccessKey, region, now }: Credentials,
): { readonly status: number; readonly code: string; readonly more?: string } | undefined {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? "",
    );
  if (!parts) return { status: 403, code: "AccessDenied" };
  const [, id, day, itsRegion, signedHeaders, signature] = parts as unknown as readonly [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (id !== accessKeyId) return { status: 403, code: "InvalidAccessKeyId" };
  if (itsRegion !== region) return { status: 400, code: "AuthorizationHeaderMalformed" };
  const date = String(headers["x-amz-date"]);
  const time = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(time - now) <= MAX_SKEW_MS) || !date.startsWith(day))
    return {
      status: 403,
      code: "RequestTimeTooSkewed",
      more: `<ServerTime>${new Date(now).toISOString()}</ServerTime>`,
    };
  const signed = signedHeaders.split(";");
  const mustBeSigned = ["host", ...Object.keys(headers).filter((name) => name.startsWith("x-amz-"))];
  if (mustBeSigned.some((name) => !signed.includes(name)) || signed.join(";") !== signed.toSorted().join(";"))
    return { status: 403, code: "AccessDenied" };
  const hash = String(headers["x-amz-content-sha256"]);
  const [path, query = ""] = url!.split("?") as [string, string?];
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  const canonical = [
    method,
    path
      .split("/")
      .map((part) => encode(decodeURIComponent(part)))
      .join("/"),
    query.split("&").filter(Boolean).toSorted().join("&"),
    ...signed.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, " ")}`),
    "",
    signedHeaders,
    hash,
  ].join("\n");
  const toSign = [
    "AWS4-HMAC-SHA256",
    date,
    `${day}/${region}/s3/aws4_request`,
    createHash("sha256").update(canonical).digest("hex"),
  ].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(
    (key, part) => createHmac("sha256", key).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  if (!timingSafeEqual(createHmac("sha256", key).update(toSign).digest(), Buffer.from(signature, "hex")))
    return { status: 403, code: "SignatureDoesNotMatch" };
  // Check the body last: only a client with the key may say what the body's hash should be.
  return createHash("sha256").update(body).digest("hex") === hash
    ? undefined
    : { status: 400, code: "XAmzContentSHA256Mismatch" };
}
