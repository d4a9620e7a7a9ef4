import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

interface Update {
  readonly num_samples: number;
  readonly weights: readonly (readonly number[])[];
}

/**
 * Federated averaging as in Sedna, for comparison: weights are JSON over WebSockets, all clients' weights are
 * held until the last has arrived, and the mean is computed in f64, layer by layer, and sent to every client.
 *
 * Source: Sedna's `lib/sedna/service/server/aggregation.py` and `FedAvg`.
 */
export async function jsonAggregator(participants: number): Promise<{ readonly url: string; close(): void }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", maxPayload: 2 ** 28 });
  const updates = new Map<WebSocket, Update>();
  server.on("connection", (socket) => {
    socket.on("message", (text: Buffer) => {
      const { type, data } = JSON.parse(text.toString()) as { readonly type: string; readonly data: Update };
      if (type !== "update_weight") return;
      updates.set(socket, data);
      if (updates.size < participants) return;
      const all = [...updates.values()];
      updates.clear();
      const total = all.reduce((sum, { num_samples: samples }) => sum + samples, 0);
      const weights = all[0]!.weights.map((layer, i) => {
        const sum = new Float64Array(layer.length);
        for (const { num_samples: samples, weights: theirs } of all)
          theirs[i]!.forEach((value, j) => (sum[j]! += (value * samples) / total));
        return [...sum];
      });
      const answer = JSON.stringify({
        type: "recv_weight",
        data: { total_sample: total, round_number: 1, weights, exit_flag: "continue" },
      });
      for (const one of server.clients) one.send(answer);
    });
  });
  await new Promise<void>((resolve) => server.once("listening", resolve));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}
