import { messageOf } from "@sedna-js/core/errors";
import { checkUpload, taskFor } from "@sedna-js/core/federation";
import type { SecureReceipt } from "@sedna-js/core/secure-aggregation";
import { engineTimers, monotonicClock } from "../timers.ts";
import type { ClosedRound, Federation } from "./federation.ts";
import { setUpFederation, type FederationOptions } from "./federation-options.ts";
import { federationStats, federationStatus } from "./federation-stats.ts";
import { memoryFederationLog } from "./log/memory-federation-log.ts";
import { createMemberTasks } from "./protocol/member-tasks.ts";
import { createRounds, type Rounds } from "./rounds/create-rounds.ts";
import { type RoundChange } from "./rounds/round-change.ts";
import { createSecureRounds, unreadable } from "./rounds/secure-rounds.ts";
import { createMembers } from "./members.ts";
import { createUpdatePipeline } from "./update-pipeline.ts";
import { rejection } from "./updates/validate-update.ts";
import { createUploadSlots, slotCount } from "./uploads/upload-slots.ts";

// The shell around the pure reducer of rounds. Each part is built from the ones above it and knows none
// below:
//
//   rounds: owns the state; the only place where it changes (rounds/create-rounds.ts)
//   secure: the secure aggregation of the active round, if the federation uses it
//   tasks: what each client has to do now, numbered for polls and WebSockets
//   members: the clients: sessions, presence, rejoining
//   slots, pipeline: updates on their way in: admit, receive, decode, validate, accept, dispatch
//     (update-pipeline.ts)
//
// Data goes down this list through calls. Changes come back up through one subscription: after each event,
// rounds calls follow(), which tells every part what has changed. A killed process resumes in the same round
// from its last checkpoint; clients whose update was not part of it see `accepted: false` and send it again.

/**
 * Creates a federation: one model that many clients train in rounds.
 *
 * @throws {TypeError} If options contradict each other.
 * @throws {RangeError} If a value is out of range.
 *
 * @example
 * ```ts
 * import { aggregation, select } from "@sedna-js/core";
 * import { createFederation } from "@sedna-js/cloud";
 *
 * const federation = createFederation({
 *   name: "digits",
 *   model: { head: { kind: "softmax", features: 64, classes: 10 } },
 *   aggregator: select(aggregation, { method: "FedAvg" }),
 *   rounds: { numRounds: 10, participants: 2 },
 * });
 * await federation.start();
 * console.log(federation.status().modelVersion); // => 0
 * await federation.close();
 * ```
 */
export function createFederation(options: FederationOptions): Federation {
  const { model, uploads = {}, storage = {}, privacy = {}, runtime = {} } = options;
  const { log = memoryFederationLog(), keepUpdates = false } = storage;
  const { random = Math.random, logger = silent, timers = engineTimers(), now = monotonicClock() } = runtime;
  const setup = setUpFederation(options);
  const { plan, limits } = setup;
  const stats = federationStats();
  const listeners = new Set<(closed: ClosedRound) => void>();

  const rounds = createRounds({
    ...setup,
    aggregator: options.aggregator,
    initialModel: model.initial,
    checkpoint: storage.checkpoint,
    privacy: privacy.differential,
    kernels: runtime.kernels,
    seed: runtime.seed ?? Math.floor(now()) >>> 0,
    log,
    keepUpdates,
    now,
    random,
    timers,
    logger,
  });
  const secure =
    privacy.secureAggregation &&
    createSecureRounds({ setup, secure: privacy.secureAggregation, rounds, now, timers, logger });
  const tasks = createMemberTasks({
    now,
    taskFor: (client, seq) => {
      const task = taskFor(rounds.state, { client, now: now(), seq });
      return secure && task.kind === "train" ? secure.task(client, task) : task;
    },
  });
  const members = createMembers({
    rounds,
    absentMs: options.limits?.absentMs ?? 90_000,
    now,
    timers,
    isConnected: (client) => tasks.listeners(client) > 0,
    onLeft: (client) => tasks.forget(client),
  });
  const { maxParallel = slotCount(plan.maxUpdateBytes), maxWaiting = 8 * maxParallel } = uploads;
  const slots = createUploadSlots({
    slots: maxParallel,
    maxWaiting,
    allocateBuffer: () => rounds.kernels.updateBuffer({ bytes: plan.maxUpdateBytes }),
    idleMs: uploads.idleMs ?? 10_000,
    now,
    timers,
  });
  const pipeline = createUpdatePipeline({ rounds, slots, plan, limits, log, keepUpdates, stats, now });

  const follow = ({ event, isWide, assigned, closed }: RoundChange): void => {
    secure?.follow();
    for (const client of assigned) tasks.refresh(client);
    tasks.refresh(isWide || !("client" in event) ? undefined : event.client);
    // Uploads for a round that is over are dropped at once, so that the next round can use their slots.
    if (isWide) slots.cutAll((upload) => checkUpload(rounds.state, upload) === undefined);
    if (!closed) return;
    stats.closed(closed.outcome);
    for (const listener of Array.from(listeners)) {
      try {
        listener(closed);
      } catch (error) {
        // A listener belongs to the program; its error does not stop the federation.
        logger.error({ error: messageOf(error) }, "a round listener failed");
      }
    }
  };
  rounds.subscribe(follow);
  secure?.subscribe(() => tasks.refresh());

  return {
    plan,
    async start() {
      await rounds.start();
      secure?.abandonRestored();
      members.restore();
    },
    status: () =>
      federationStatus({
        plan,
        state: rounds.state,
        now: now(),
        epsilons: rounds.epsilons,
        privacy: privacy.differential?.spent(),
      }),
    join: (member) => members.join(member),
    leave: ({ client, epoch }) => members.leave(client, epoch),
    epochOf: (client) => members.find(client)?.epoch,
    task(member) {
      members.require(member);
      return tasks.current(member.client);
    },
    onTask(member, listener) {
      members.require(member);
      return tasks.onTask(member.client, listener);
    },
    model: (version) => rounds.models.get(version),
    received: (member, round) => slots.received(member, round),
    async admit(member, { round, signal }) {
      members.require(member);
      return pipeline.admit(member, { round, signal });
    },
    async receive(member, upload) {
      members.require(member);
      return pipeline.receive(member, upload);
    },
    async submit(member, update) {
      members.require(member);
      return pipeline.submit(member, update);
    },
    receiveSecure(member, answer) {
      members.require(member);
      const round = rounds.state.open?.round ?? rounds.state.round;
      if (!secure)
        return {
          ...rejection("not-selected", { expected: "an update", got: "a message of secure aggregation" }),
          round,
        };
      let receipt: SecureReceipt;
      try {
        receipt = secure.receive(member.client, answer);
      } catch (error) {
        receipt = unreadable(error);
      }
      if ("rejected" in receipt) return pipeline.reject(member, receipt);
      stats.bytes(answer.body.length);
      return { round, ...receipt };
    },
    maxSecureBytes: (phase) => secure?.maxBytes(phase) ?? 0,
    onRound(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stats: () =>
      stats.read({
        waiting: slots.waiting,
        taken: slots.taken,
        listeners: tasks.listeners(),
        healthy: rounds.healthy,
        now: now(),
        ...progressOf(rounds),
      }),
    async close() {
      members.close();
      secure?.close();
      slots.close();
      await rounds.close();
    },
  };
}

/** Where the active round stands; nothing before the start and after the close. */
function progressOf(rounds: Rounds) {
  const state = rounds.isOpen ? rounds.state : undefined;
  return {
    closing: state?.open?.closing === true,
    openedAt: state?.open?.openedAt,
    modelVersion: state?.modelVersion ?? 0,
  };
}

const silent = { info() {}, error() {} };
