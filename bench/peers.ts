import { cosinePeers } from "./peers/cosine-peers.ts";
import { installPeers } from "./peers/install.ts";
import { isMissing } from "./peers/peer.ts";
import { createPython } from "./peers/python.ts";

/**
 * Installs the peers that the kernels are measured against. Returns a line on each: its version, or why it is
 * missing.
 */
export async function preparePeers(onLine: (line: string) => void): Promise<string[]> {
  await installPeers({ onLine });
  const one = { values: Float32Array.of(1), count: 1, dimensions: 1 };
  const lines: string[] = [];
  for (const make of Object.values(cosinePeers)) {
    const peer = await make(one, one);
    lines.push(`${peer.name}: ${isMissing(peer) ? `MISSING: ${peer.reason}` : peer.version}`);
    if (!isMissing(peer)) await peer.dispose();
  }
  const python = await createPython();
  lines.push(
    python.available
      ? `Python: ${python.version}, numpy ${python.numpy}`
      : `Python: MISSING: ${python.reason}`,
  );
  if (python.available) await python.dispose();
  return lines;
}
