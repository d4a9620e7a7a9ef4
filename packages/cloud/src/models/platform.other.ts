import { onlyInNode } from "../http/only-in-node.ts";

export const directoryModels = (): never => onlyInNode("read models in a directory");

export const publishModel = (): never => onlyInNode("publish a model");

export const createSigningKey = (): never => onlyInNode("create a signing key");

export const readSigningKey = (): never => onlyInNode("read a signing key");

export const signManifest = (): never => onlyInNode("sign a manifest");

export const signKeySet = (): never => onlyInNode("sign a set of keys");
