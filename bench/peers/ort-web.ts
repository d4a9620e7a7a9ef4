import { ortPeer, type Ort } from "./ort.ts";
import { packageVersion, peerOrReason, type PeerFactory } from "./peer.ts";

const name = "onnxruntime-web";

/** ONNX Runtime as WebAssembly, in Node. */
export const ortWeb: PeerFactory = (gallery, queries) =>
  peerOrReason(name, async () => {
    const ort = await import("onnxruntime-web");
    ort.env.wasm.numThreads = 1;
    return ortPeer(ort as unknown as Ort, {
      identity: {
        name,
        version: packageVersion(name),
        provider: "wasm",
        how: "1 thread, WebAssembly simd128",
      },
      gallery,
      queries,
    });
  });
