import type { RejectionCode } from "../wire/federation.ts";
import { isQuarantined } from "./federation-clients.ts";
import type { FederationClient, FederationState } from "./federation-state.ts";
import { getClient } from "./client-map.ts";

/** An update that a client wants to upload. */
export interface UploadRequest {
  readonly client: string;
  readonly epoch: number;
  readonly round: number;
  /** Version of the model that the update was trained on, once its head is read. */
  readonly modelVersion?: number;
}

/**
 * Returns why an update would be rejected, or `undefined` if it would be accepted. None of these codes is a
 * strike: a late client did nothing wrong.
 *
 * Call it when an upload begins, and again in the same turn of the event loop in which the update is added to
 * the accumulator, because the round may close in between. An upload of an ended session is accepted until a
 * newer session exists: only its connection broke, the update is valid. The selection is known for the active
 * round only; an upload for any other round is `wrong-round`.
 */
export function checkUpload(state: FederationState, request: UploadRequest): RejectionCode | undefined {
  const client = getClient(state.clients, request.client);
  if (client === undefined || request.epoch > client.epoch) return "not-selected";
  if (request.epoch < client.epoch) return "session-replaced";
  if (isQuarantined(state, client)) return "quarantined";
  return client.kind === "sedna-js" && state.settings.buffered
    ? ofBuffer(state, request)
    : ofRound(state, { request, client });
}

function ofRound(
  { round: closed, open }: FederationState,
  { request, client: { kind } }: { readonly request: UploadRequest; readonly client: FederationClient },
): RejectionCode | undefined {
  const { client, round, modelVersion } = request;
  // Sedna's clients send no round number: their update is for the active round.
  if (kind === "sedna-js") {
    if (open?.round === round && getClient(open.selected, client) === undefined) return "not-selected";
    if (
      round !== closed + 1 ||
      (open !== undefined && modelVersion !== undefined && modelVersion !== open.modelVersion)
    )
      return "wrong-round";
  }
  if (open === undefined || open.closing) return "round-closed";
  return getClient(open.accepted, client) === undefined ? undefined : "duplicate";
}

function ofBuffer(
  { open, assignments, settings, modelVersion: newest }: FederationState,
  { client, round, modelVersion }: UploadRequest,
): RejectionCode | undefined {
  const assignment = getClient(assignments, client);
  const isCounted = open !== undefined && getClient(open.accepted, client) !== undefined;
  if (assignment === undefined && !isCounted) return "not-selected";
  if (
    assignment !== undefined &&
    (round !== assignment.round || (modelVersion !== undefined && modelVersion !== assignment.modelVersion))
  )
    return "wrong-round";
  if (assignment !== undefined && newest - assignment.modelVersion > settings.buffered!.maxStaleness)
    return "wrong-round";
  if (open === undefined || open.closing) return "round-closed";
  return isCounted ? "duplicate" : undefined;
}
