import { hnswlib } from "./hnswlib.ts";
import { ortNode } from "./ort-node.ts";
import { ortWeb } from "./ort-web.ts";
import type { PeerFactory } from "./peer.ts";
import { cosineLoop } from "./plain-matching.ts";
import { simsimd } from "./simsimd.ts";
import { tfjs } from "./tfjs.ts";
import { usearch } from "./usearch.ts";

/** The contestants of matching that run in this process. numpy's are in matching.py. */
export const cosinePeers = {
  ortNode,
  ortWeb,
  usearch,
  hnswlibPublished: hnswlib("published"),
  hnswlibNative: hnswlib("native"),
  simsimd,
  tfjs,
  loop: cosineLoop,
} as const satisfies Record<string, PeerFactory>;
