import { ortPeer } from "./ort.ts";
import { packageVersion, peerOrReason, vectorLevel, type PeerFactory } from "./peer.ts";

const name = "onnxruntime-node";

/** ONNX Runtime with its CPU provider, in Node. */
export const ortNode: PeerFactory = (gallery, queries) =>
  peerOrReason(name, async () => {
    const ort = await import("onnxruntime-node");
    return ortPeer(ort, {
      identity: {
        name,
        version: packageVersion(name),
        provider: "cpu",
        how: `1 thread, native ${vectorLevel()}`,
      },
      gallery,
      queries,
    });
  });
