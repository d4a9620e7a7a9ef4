/**
 * A WebSocket with the browser interface. `terminate` exists only in Node and closes without a closing
 * handshake.
 */
export interface ClientSocket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  terminate?(): void;
  addEventListener(
    type: "open" | "message" | "close" | "error",
    listener: (event: { readonly data?: unknown; readonly code?: number; readonly reason?: string }) => void,
  ): void;
}

/** Opens a connection: the browser's WebSocket, or in Node that of `ws`. */
export declare function openClientSocket(
  url: string,
  options: { readonly maxMessageBytes: number },
): Promise<ClientSocket>;
