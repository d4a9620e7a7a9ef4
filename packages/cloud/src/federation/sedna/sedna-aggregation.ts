import {
  randomHex,
  writeSednaClientJoin,
  writeSednaRecvWeight,
  writeSednaSubscribe,
} from "@sedna-js/core/wire";
import type { Service, ServiceSocket } from "../../http/service.ts";
import type { Federation } from "../federation.ts";
import { SEDNA_PREFIX } from "../sessions/sedna-prefix.ts";
import { sednaMember, type SednaMember } from "./sedna-member.ts";
import { sednaSocket } from "./sedna-socket.ts";
import { transposedLayout, transposeLayers } from "./transpose-layers.ts";

/** Options of {@link sednaAggregation}. */
export interface SednaAggregationOptions {
  readonly federation: Federation;
  /** URL path. Default: `/` and the name of the plan's aggregation, as in Sedna: `/FedAvg`. */
  readonly path?: string;
  /** Maximum frame size in bytes; Sedna's ws_size. Sedna's clients accept at most 16 MiB. Default 10 MiB. */
  readonly maxMessageBytes?: number;
  /** Maximum number of members. The last update of each is kept until its round closes. Default 256. */
  readonly maxMembers?: number;
  /**
   * Whether to broadcast frames of other types to all members, as Sedna does. Then any client can send
   * anything to all others. Default false.
   */
  readonly relay?: boolean;
  /**
   * Whether clients have matrices as `[inputs, outputs]`, as Keras does, while the plan has `[outputs,
   * inputs]`. Default false.
   */
  readonly transposed?: boolean;
  /**
   * Whether to accept the first update of a client that joins after the first model; the client trained it
   * from its own weights. Default false: the server responds with the model.
   */
  readonly countLateStarters?: boolean;
  /** Time limit for the first frame, in ms. Default 10000. */
  readonly subscribeMs?: number;
  /** Returns the Unix time in ms. Default `Date.now`. */
  readonly now?: () => number;
}

/** What `resultFrame` takes. */
interface ResultFrameOptions {
  readonly modelVersion: number;
  readonly round: number;
  readonly totalSamples: number;
  readonly done: boolean;
}

/**
 * Creates a service for Sedna's V1 aggregation protocol, so that Sedna's Python clients participate in the
 * same rounds as other clients. Source: sedna `lib/sedna/service/server/aggregation.py` and
 * `client/aggregation`, according to their frames.
 *
 * The frames are the same as there: a subscription is echoed to all members, CLIENT_JOIN goes to older
 * members, and recv_weight is the message of the last sender with the result in it. Differences:
 *
 * 1. If a client_id is in use, the new connection is closed with 1008; the first one stays.
 * 2. A round closes at its deadline, even if clients are missing. A late update belongs to the round that is
 *    active when it arrives.
 * 3. An update that arrived before its round, or whose round was abandoned, is used in the next round: its
 *    client waits for a model and would not send it again.
 * 4. Sizes and shapes are checked, and num_samples must be at least 1; an invalid update closes its
 *    connection with 1008. A num_samples above the plan's maximum is reduced to it.
 * 5. A late client starts from the model. A client that joins after the last round receives the model with
 *    exit_flag "ok".
 * 6. Frames of unknown types are dropped, and GET returns names without weights.
 *
 * The protocol has no authentication: any client that reaches the port can participate under any name. If the
 * cloud has a token, the clients must send it as a header.
 */
export function sednaAggregation({
  federation,
  path = `/${federation.plan.aggregation}`,
  maxMessageBytes = 10 * 2 ** 20,
  maxMembers = 256,
  relay = false,
  transposed = false,
  countLateStarters = false,
  subscribeMs = 10_000,
  now = Date.now,
}: SednaAggregationOptions): Service {
  if (!/^\/[\w.~-]+$/.test(path))
    throw new RangeError(
      `serve Sedna's protocol: expected a path of one segment such as /FedAvg; got ${path}`,
    );
  if (federation.plan.protection !== "none")
    throw new TypeError(
      `serve Sedna's protocol: expected a federation without secure aggregation, which its clients do not speak; got ${federation.plan.protection}`,
    );
  const members = new Map<string, SednaMember>();
  const { layout: ownLayout } = federation.plan;
  const layout = transposed ? transposedLayout(ownLayout) : ownLayout;
  let lastSender: { readonly client?: string | undefined; readonly jobName?: string | null | undefined } = {
    jobName: federation.plan.name,
  };
  let lastEpoch = 0;
  let unsubscribe = (): void => {};

  const tellAll = (frame: string): void => {
    for (const { socket } of members.values()) socket.send(frame);
  };
  const resultFrame = ({
    modelVersion,
    round,
    totalSamples,
    done,
  }: ResultFrameOptions): string | undefined => {
    const model = federation.model(modelVersion);
    if (!model) return undefined;
    const { client, jobName } = lastSender;
    const weights = transposed ? transposeLayers(model.parameters, ownLayout) : model.parameters;
    return writeSednaRecvWeight(
      {
        client,
        jobName,
        totalSample: totalSamples,
        roundNumber: round,
        weights,
        exitFlag: done ? "ok" : "continue",
      },
      { layout },
    );
  };
  /** Returns the latest model as a frame, for a client that missed the round that made it. */
  const modelNow = (): string | undefined => {
    const { modelVersion, state, history } = federation.status();
    const last = history.findLast(({ outcome }) => outcome === "aggregated");
    return resultFrame({
      modelVersion,
      round: last?.round ?? 0,
      totalSamples: last?.totalSamples ?? 0,
      done: state === "done",
    });
  };

  const subscribe = (socket: ServiceSocket, clientId: string | undefined): SednaMember | undefined => {
    const id = clientId ?? randomHex(16);
    if (members.has(id)) return void socket.close(1008, "expected a client_id that is not in use");
    if (members.size >= maxMembers) return void socket.close(1008, `expected at most ${maxMembers} clients`);
    // The epoch exceeds those in the log, also after a restart. The prefix keeps these clients apart from
    // devices: no client replaces a device by its client_id.
    const client = `${SEDNA_PREFIX}${id}`;
    lastEpoch = Math.max(lastEpoch + 1, (federation.epochOf(client) ?? 0) + 1, now());
    const who = { client, epoch: lastEpoch };
    federation.join({ ...who, kind: "sedna-v1", numSamples: 0, resources: {} });
    tellAll(writeSednaClientJoin(id));
    const member = sednaMember({ federation, id, who, socket, modelNow, countLateStarters });
    members.set(id, member);
    tellAll(writeSednaSubscribe(clientId));
    socket.onClose(() => {
      members.delete(id);
      member.end();
      federation.leave(who);
    });
    return member;
  };

  return {
    name: `sedna${path}`,
    mount(app) {
      app.get(path, (c) => c.json({ clients: [...members.keys()] }));
    },
    sockets: [
      {
        path,
        maxMessageBytes,
        open: (socket) =>
          sednaSocket(socket, {
            layout,
            maxMessageBytes,
            subscribeMs,
            subscribe: (clientId) => subscribe(socket, clientId),
            update(member, { client, jobName, weights, numSamples, bytes }) {
              lastSender = { client: client ?? member.id, jobName };
              member.update({
                weights: transposed ? transposeLayers(weights, layout) : weights,
                numSamples,
                bytes,
              });
            },
            ...(relay && { relay: tellAll }),
          }),
      },
    ],
    async start() {
      unsubscribe = federation.onRound((closed) => {
        if (closed.outcome !== "aggregated" || members.size === 0) return;
        const frame = resultFrame(closed);
        if (frame !== undefined)
          for (const member of members.values()) member.tellModel(frame, { isLast: closed.done });
      });
    },
    ready: true,
    async close() {
      unsubscribe();
    },
  };
}
