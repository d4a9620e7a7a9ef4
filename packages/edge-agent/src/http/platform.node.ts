import type { ClientSocket } from "./platform.ts";

export async function openClientSocket(
  url: string,
  { maxMessageBytes }: { readonly maxMessageBytes: number },
): Promise<ClientSocket> {
  const { WebSocket } = await import("ws");
  return new WebSocket(url, {
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
  }) as unknown as ClientSocket;
}
