const PLACE = "sedna-demo-publisher";

/** The publisher's identity: a key pair and the last published version. */
export interface PublisherIdentity {
  readonly keys: CryptoKeyPair;
  /**
   * Returns the next version. It increases across visits, because an edge rejects any version below one that
   * it has seen.
   */
  nextVersion(): number;
}

interface Remembered {
  readonly privateKey: JsonWebKey;
  readonly publicKey: JsonWebKey;
  readonly version: number;
}

/**
 * Restores the publisher of earlier visits, or creates one. A real publisher's private key must never be in a
 * page. This key protects nothing, and the visitor plays the publisher.
 */
export async function publisherIdentity(): Promise<PublisherIdentity> {
  const known = recall();
  const keys = known ? await imported(known).catch(() => undefined) : undefined;
  if (keys) return { keys, nextVersion: counter(known!) };
  const made = await crypto.subtle
    .generateKey("Ed25519", true, ["sign", "verify"])
    .catch((cause: unknown) => {
      throw new Error(
        "sign models: expected a browser with Ed25519, such as Chrome 137, Firefox 129, Safari 17 or newer; this one has none",
        { cause },
      );
    });
  const remembered = {
    privateKey: await crypto.subtle.exportKey("jwk", made.privateKey),
    publicKey: await crypto.subtle.exportKey("jwk", made.publicKey),
    version: 0,
  };
  return { keys: made, nextVersion: counter(remembered) };
}

function counter(known: Remembered): () => number {
  const state = { version: known.version };
  return () => {
    // Another tab may have published a version meanwhile.
    state.version = Math.max(state.version, recall()?.version ?? 0) + 1;
    remember({ ...known, version: state.version });
    return state.version;
  };
}

async function imported({ privateKey, publicKey }: Remembered): Promise<CryptoKeyPair> {
  return {
    privateKey: await crypto.subtle.importKey("jwk", privateKey, "Ed25519", true, ["sign"]),
    publicKey: await crypto.subtle.importKey("jwk", publicKey, "Ed25519", true, ["verify"]),
  };
}

function recall(): Remembered | undefined {
  try {
    const known = JSON.parse(localStorage.getItem(PLACE) ?? "null") as Remembered | null;
    return known !== null && Number.isSafeInteger(known.version) ? known : undefined;
  } catch {
    return undefined;
  }
}

function remember(remembered: Remembered): void {
  try {
    localStorage.setItem(PLACE, JSON.stringify(remembered));
  } catch {
    // If localStorage is unavailable, the agent cannot store anything either, and each visit starts from
    // scratch.
  }
}
