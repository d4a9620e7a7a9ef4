import { messageOf } from "@sedna-js/core/errors";
import type { Logger, ServiceSocket } from "./service.ts";

/** What a host's WebSocket must offer; those of `ws`, Deno and Workers do. Open, or about to be. */
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
  /** Told once, with the code by which the socket ended, after its service was. */
  readonly onEnd?: (code: number) => void;
}

/** A reader that is so far behind is not served further, however short its messages are. */
const MIN_HIGH_WATER = 2 ** 20;
/** A close frame has room for so many bytes of reason. */
const MAX_REASON_BYTES = 123;

/**
 * A host's WebSocket as a service sees it: whatever comes or goes wrong ends this socket and nothing else. Of
 * its messages a service sees only those that are short enough; of a slow reader's, so many wait as two of
 * the longest.
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
      // By the letter of WHATWG's interface an application closes by 1000 or from 3000 up; there 1008 is
      // 4008.
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
  // What went wrong is in the code of the close that follows.
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
        close(1011, "could not be sent to");
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

/** Whether a message has more bytes, as UTF-8, than it may. */
function isLonger(data: string | ArrayBuffer, most: number): boolean {
  if (typeof data !== "string") return data.byteLength > most;
  // A UTF-16 unit takes one to three bytes: only in between must they be counted.
  return data.length > most || (data.length * 3 > most && new TextEncoder().encode(data).length > most);
}

function shorten(reason: string): string {
  let short = reason;
  while (new TextEncoder().encode(short).length > MAX_REASON_BYTES) short = [...short].slice(0, -1).join("");
  return short;
}
