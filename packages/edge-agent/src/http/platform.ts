/** A WebSocket as browsers have it; `terminate` is Node's, which waits for no farewell. */
export interface ClientSocket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  terminate?(): void;
  addEventListener(
    type: "open" | "message" | "close" | "error",
    listener: (event: { readonly data?: unknown; readonly code?: number; readonly reason?: string }) => void,
  ): void;
}

/** Begins to connect: the browser's own WebSocket, in Node that of `ws`. */
export declare function openClientSocket(
  url: string,
  options: { readonly maxMessageBytes: number },
): Promise<ClientSocket>;
