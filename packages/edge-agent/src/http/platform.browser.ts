import type { ClientSocket } from "./platform.ts";

export async function openClientSocket(url: string): Promise<ClientSocket> {
  return new WebSocket(url);
}
