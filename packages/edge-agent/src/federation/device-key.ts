/** Options of {@link deviceIdentity}. */
export interface DeviceIdentityOptions {
  /** Name of the key. In browsers an origin has one key per name. Default `sedna-device`. */
  readonly name?: string;
  /** Directory in which Node stores the key as `<name>.pem`, readable only by its owner. Required in Node. */
  readonly directory?: string;
}

/** A key pair that is generated on this device and never leaves it. */
export interface DeviceKey {
  /** Uncompressed point of P-256, 65 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** Signs with ECDSA and SHA-256. @returns 64 bytes: r and s. */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}
