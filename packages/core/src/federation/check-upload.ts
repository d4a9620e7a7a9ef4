import type { RejectionCode } from "../wire/federation.ts";
import { isQuarantined } from "./federation-clients.ts";
import type { FederationClient, FederationState } from "./federation-state.ts";
import { getClient } from "./client-map.ts";

/** An update that a client wants to send. */
export interface UploadRequest {
  readonly client: string;
  readonly epoch: number;
  readonly round: number;
  /** The model that it was trained on, once its head was read. */
  readonly modelVersion?: number;
}

/**
 * Why an update would not be counted; undefined where it would. None of these is a strike: who is late did nothing wrong.
 * Ask when an upload begins, and again in the very turn in which it is added to the sum: the round may have closed between.
 * An upload of a session whose end was told is taken as long as no newer session is there: its connection broke, its work is good.
 * Whether a client was selected can be told of the open round alone; of all others an upload is for the wrong round.
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
  // Sedna's clients know no rounds: their update is for whichever is open.
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
