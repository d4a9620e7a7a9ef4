import { messageOf } from "@sedna-js/core/errors";
import type { Logger, ServiceSocket } from "./service.ts";

/**
 * WebSocket interface that a host must provide; those of `ws`, Deno and Workers fit. The socket is open or
 * about to open.
 */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message" | "close" | "error", listener: (event: never) => void): void;
}

/** Options of {@link serviceSocket}. */
export interface ServiceSocketOptions {
  readonly maxMessageBytes: number;
  readonly logger: Logger;
  /** Called once with the close code, after the service's listeners. */
  readonly onEnd?: (code: number) => void;
}

/**
 * Minimum of the buffer limit, in bytes. A slow reader with more buffered data is closed, however short its
 * messages are.
 */
const MIN_HIGH_WATER = 2 ** 20;
/** Maximum length of the reason in a close frame, in bytes. */
const MAX_REASON_BYTES = 123;

/**
 * Wraps a host's WebSocket for a service. Any error ends this socket and nothing else. A message longer than
 * `maxMessageBytes` closes the socket. A slow reader is closed when more than twice `maxMessageBytes`, and
 * more than 1 MiB, waits to be sent.
 */
export function serviceSocket(
  socket: WebSocketLike,
  { maxMessageBytes, logger, onEnd }: ServiceSocketOptions,
): ServiceSocket {
  const messageListeners: ((data: string | Uint8Array) => void)[] = [];
  const closeListeners: ((code: number) => void)[] = [];
  const highWater = Math.max(MIN_HIGH_WATER, 2 * maxMessageBytes);
  let closing = false;
  let endedBy: number | undefined;

  const close = (code = 1000, reason = ""): void => {
    if (closing) return;
    closing = true;
    const said = shorten(reason);
    try {
      socket.close(code, said);
    } catch {
      // According to the WHATWG interface an application may close only with 1000 or with 3000 and above;
      // 1008 becomes 4008.
      socket.close(code < 2000 ? 3000 + code : 1000, said);
    }
  };
  const failed = (error: unknown): void => {
    logger.error({ error: messageOf(error) }, "a socket's service failed");
    close(1011, "the server failed");
  };
  const tell = <T>(listeners: readonly ((value: T) => unknown)[], value: T): void => {
    for (const listener of listeners) {
      try {
        const result = listener(value);
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  };
  const end = (code: number): void => {
    if (endedBy !== undefined) return;
    closing = true;
    endedBy = code;
    tell(closeListeners, code);
    onEnd?.(code);
  };

  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }: { readonly data: string | ArrayBuffer }) => {
    if (closing) return;
    if (isLonger(data, maxMessageBytes)) return close(1009, `expected at most ${maxMessageBytes} bytes`);
    tell(messageListeners, typeof data === "string" ? data : new Uint8Array(data));
  });
  socket.addEventListener("close", ({ code = 1006 }: { readonly code?: number }) => end(code));
  // The code of the close event that follows describes the error.
  socket.addEventListener("error", () => {});

  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send(data) {
      if (closing) return;
      if (socket.bufferedAmount > highWater) return close(1008, "reads too slowly");
      try {
        socket.send(data);
      } catch {
        close(1011, "a message could not be sent");
      }
    },
    close,
    onMessage: (listener) => void messageListeners.push(listener),
    onClose(listener) {
      if (endedBy === undefined) closeListeners.push(listener);
      else tell([listener], endedBy);
    },
  };
}

/** Returns whether a message is longer than `most` bytes, as UTF-8. */
function isLonger(data: string | ArrayBuffer, most: number): boolean {
  if (typeof data !== "string") return data.byteLength > most;
  // A UTF-16 unit takes one to three bytes, so encode the text only if the bounds do not decide.
  return data.length > most || (data.length * 3 > most && new TextEncoder().encode(data).length > most);
}

function shorten(reason: string): string {
  let short = reason;
  while (new TextEncoder().encode(short).length > MAX_REASON_BYTES) short = [...short].slice(0, -1).join("");
  return short;
}
