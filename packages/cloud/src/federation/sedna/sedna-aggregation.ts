import { writeSednaClientJoin, writeSednaRecvWeight, writeSednaSubscribe } from "@sedna-js/core/wire";
import type { Service, ServiceSocket } from "../../http/service.ts";
import type { Federation } from "../federation.ts";
import { SEDNA_PREFIX } from "../sessions/sedna-prefix.ts";
import { sednaMember, type SednaMember } from "./sedna-member.ts";
import { sednaSocket } from "./sedna-socket.ts";
import { transposedLayout, transposeLayers } from "./transpose-layers.ts";

/** Options of {@link sednaAggregation}. */
export interface SednaAggregationOptions {
  readonly federation: Federation;
  /** Default: `/` and the name of the plan's aggregation, as Sedna has it: `/FedAvg`. */
  readonly path?: string;
  /** Sedna's ws_size: the longest frame in bytes. Its clients take at most 16 MiB. Default 10 MiB. */
  readonly maxMessageBytes?: number;
  /** Members at once. What each sent last is kept until its round closes. Default 256. */
  readonly maxMembers?: number;
  /**
   * Whether frames of other types are broadcast to all members, as Sedna does: then any client says to all
   * others what it likes. Default false.
   */
  readonly relay?: boolean;
  /**
   * True where its clients have matrices as `[inputs, outputs]`, as Keras does, and the plan has `[outputs,
   * inputs]`. Default false.
   */
  readonly transposed?: boolean;
  /**
   * Whether the first update of a client that comes when there is a model already counts; it was trained from
   * weights of its own. Default false: it is answered by the model.
   */
  readonly countLateStarters?: boolean;
  /** How long the first frame may take, in ms. Default 10000. */
  readonly subscribeMs?: number;
  /** Unix ms. */
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
 * Sedna's V1 aggregation protocol beside a federation's own, so that its Python clients take part in the same
 * rounds. Source: sedna `lib/sedna/service/server/aggregation.py` and `client/aggregation` as their frames
 * show.
 *
 * Frame for frame as there: the echo of a subscription to all, CLIENT_JOIN to older members, recv_weight as
 * the last sender's message with the result in it. Otherwise than there:
 *
 * 1. A client_id that is taken closes the newcomer by 1008; the first one stays.
 * 2. A round closes at its deadline, whoever is missing. A late update counts for the round that is open when
 *    it comes.
 * 3. An update that came before its round, or whose round was abandoned, counts in the next: its client waits
 *    for a model and would not send again.
 * 4. Sizes and shapes are checked, num_samples is at least 1 and at most the plan's; who sends others is
 *    closed by 1008.
 * 5. Who comes late starts from the model. Who comes when all is done is given it, with exit_flag "ok".
 * 6. Frames of unknown types go nowhere, and GET tells names and no weights.
 *
 * The protocol knows no authentication: whoever reaches the port takes part, under any name. With a cloud's
 * token its clients must send it as a header.
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
    throw new RangeError(`serve Sedna's protocol: expected a path of one part such as /FedAvg; got ${path}`);
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
  /** The model as it is, for one who missed the round that made it. */
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
    const id = clientId ?? randomId();
    if (members.has(id)) return void socket.close(1008, "expected a client_id that is not taken");
    if (members.size >= maxMembers) return void socket.close(1008, `expected at most ${maxMembers} clients`);
    // After a restart too, a newer epoch than those of the log.
    // Apart from the devices' own names: nobody takes another's place by a client_id.
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

const randomId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
