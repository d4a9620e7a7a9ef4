// The few globals that browsers, Workers, Node, and Electron share, declared once for the code that must run
// in all of them. That code is type-checked against this file alone, without the DOM library and Node's
// types. It declares only what the packages use; the shapes follow the WHATWG specifications.

interface Event {
  readonly type: string;
}
interface EventTarget {
  addEventListener(
    type: string,
    listener: (event: Event) => void,
    options?: { once?: boolean; signal?: AbortSignal },
  ): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
}
interface AbortSignal extends EventTarget {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
}
declare var AbortSignal: {
  prototype: AbortSignal;
  timeout(milliseconds: number): AbortSignal;
  any(signals: AbortSignal[]): AbortSignal;
};
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare var AbortController: { new (): AbortController };
interface DOMException extends Error {
  readonly name: string;
}
declare var DOMException: { new (message?: string, name?: string): DOMException };

interface Headers {
  get(name: string): string | null;
  set(name: string, value: string): void;
  has(name: string): boolean;
}
declare var Headers: { new (init?: Record<string, string>): Headers };
interface ReadableStreamDefaultReader<T> {
  read(): Promise<{ done: boolean; value?: T }>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}
interface ReadableStream<T = unknown> {
  getReader(): ReadableStreamDefaultReader<T>;
  cancel(reason?: unknown): Promise<void>;
}
type BodyInit = string | Uint8Array | ArrayBuffer | ReadableStream<Uint8Array> | null;
interface Body {
  readonly body: ReadableStream<Uint8Array> | null;
  arrayBuffer(): Promise<ArrayBuffer>;
  text(): Promise<string>;
  json(): Promise<unknown>;
}
interface RequestInit {
  method?: string;
  headers?: Record<string, string> | Headers;
  body?: BodyInit;
  signal?: AbortSignal | null;
  redirect?: "follow" | "error" | "manual";
  cache?: "default" | "no-store";
}
interface Request extends Body {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}
declare var Request: { new (input: string | URL | Request, init?: RequestInit): Request };
interface Response extends Body {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly url: string;
}
declare var Response: {
  new (body?: BodyInit, init?: { status?: number; headers?: Record<string, string> | Headers }): Response;
};
declare function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;

interface URLSearchParams {
  get(name: string): string | null;
}
interface URL {
  href: string;
  pathname: string;
  readonly origin: string;
  readonly host: string;
  readonly protocol: string;
  readonly searchParams: URLSearchParams;
}
declare var URL: { new (url: string | URL, base?: string | URL): URL };

interface TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare var TextEncoder: { new (): TextEncoder };
interface TextDecoder {
  decode(bytes?: Uint8Array | ArrayBuffer): string;
}
declare var TextDecoder: {
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};

interface MessagePort extends EventTarget {
  postMessage(message: unknown): void;
  start(): void;
  close(): void;
}
declare var MessageChannel: { new (): { readonly port1: MessagePort; readonly port2: MessagePort } };

interface CryptoKey {
  readonly type: string;
}
type AesAlgorithm =
  | { name: "AES-CTR"; counter: Uint8Array<ArrayBuffer>; length: number }
  | { name: "AES-GCM"; iv: Uint8Array<ArrayBuffer> };
interface SubtleCrypto {
  digest(algorithm: "SHA-256", data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  importKey(
    format: "raw" | "pkcs8",
    bytes: Uint8Array<ArrayBuffer>,
    algorithm:
      | string
      | { readonly name: string; readonly namedCurve: string }
      | { readonly name: "HMAC"; readonly hash: string },
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  encrypt(algorithm: AesAlgorithm, key: CryptoKey, bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  decrypt(algorithm: AesAlgorithm, key: CryptoKey, bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  deriveBits(
    algorithm: { name: "X25519"; public: CryptoKey },
    key: CryptoKey,
    bits: number,
  ): Promise<ArrayBuffer>;
  verify(
    algorithm: string | { readonly name: string; readonly hash: string },
    key: CryptoKey,
    signature: Uint8Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}
declare var crypto: {
  getRandomValues(array: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** Available only in secure contexts. */
  readonly subtle: SubtleCrypto;
};
declare function atob(base64: string): string;
declare function btoa(binary: string): string;
declare var performance: { now(): number };
declare function setTimeout(callback: () => void, milliseconds?: number): unknown;
declare function clearTimeout(timer: unknown): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T): T;
