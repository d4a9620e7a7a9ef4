import {
  entriesOf,
  entryOf,
  mayUpload,
  SednaError,
  taskOf,
  type FederationClient,
  type FederationTask,
  type SecureReceipt,
  type UpdateReceipt,
} from "@sedna-js/core";
import type { Logger } from "../http/service.ts";
import { withinNorm } from "./uploads/update-norm.ts";
import { countUpdate, type ToldRefusal } from "./uploads/count-update.ts";
import type { Federation, Member } from "./federation.ts";
import { setUpFederation, type FederationOptions } from "./federation-options.ts";
import { createFederationRounds, type FederationRounds } from "./rounds/create-rounds.ts";
import { federationStats, federationStatus } from "./federation-stats.ts";

import { memoryFederationLog } from "./log/memory-federation-log.ts";
import { createMemberTasks } from "./protocol/member-tasks.ts";
import { engineTimers, monotoneClock } from "./timers.ts";
import { createPresence } from "./sessions/presence.ts";
import { receiveUpload } from "./uploads/receive-upload.ts";
import { createSecureRounds, unreadable } from "./rounds/secure-rounds.ts";

import { changeOf, checkShape, readChange, type Refusal } from "./uploads/update-checks.ts";
import { createUploadSlots } from "./uploads/upload-slots.ts";

/** Memory for updates on their way in, unless so few would fit that clients wait for each other. */
const PLACES_BYTES = 2 ** 25;
const LEAST_PLACES = 8;
const MOST_PLACES = 256;

/**
 * Runs one federation: the imperative shell around the pure reducer of rounds. Updates come in through a fixed number of places in
 * memory, are checked, and are added to the round's sum; what happens is in the log before anything is built on it.
 *
 * A killed aggregator goes on in the same round from its last checkpoint. Clients whose update was not in it see
 * `counted: false` and send it again.
 *
 * @throws {TypeError} or {RangeError} on options that do not go together.
 */
export function createFederation(options: FederationOptions): Federation {
  const {
    uploadIdleMs = 10_000,
    absentMs = 90_000,
    keepUpdates = false,
    log = memoryFederationLog(),
    random = Math.random,
    logger = silent,
    timers = engineTimers(),
    privacy,
  } = options;
  const setup = setUpFederation(options);
  const { plan, limits } = setup;
  const { maxParallelUploads = placesFor(plan.maxUpdateBytes), maxWaitingUploads = 8 * maxParallelUploads } =
    options;
  const now = options.now ?? monotoneClock();
  const stats = federationStats();
  const listeners = new Set<Parameters<Federation["onRound"]>[0]>();
  const slots = createUploadSlots({
    slots: maxParallelUploads,
    maxWaiting: maxWaitingUploads,
    makePlace: () => rounds.kernels.updateRoom({ bytes: plan.maxUpdateBytes }),
    idleMs: uploadIdleMs,
    now,
    timers,
  });
  const taskFor = (client: string, seq: number): FederationTask => {
    const told = taskOf(rounds.state, { client, now: now(), seq });
    return secure && told.kind === "train" ? secure.task(client, told) : told;
  };
  const tasks = createMemberTasks({ taskOf: taskFor, now });
  const rounds: FederationRounds = createFederationRounds({
    ...setup,
    aggregator: options.aggregator,
    checkpoint: options.checkpoint,
    initialModel: options.initialModel,
    kernels: options.kernels,
    privacy,
    log,
    keepUpdates,
    now,
    random,
    timers,
    logger,
    seed: options.seed ?? Math.floor(now()) >>> 0,
    onChange(event, { isWide, assigned }) {
      secure?.follow();
      for (const client of assigned) tasks.refresh(client);
      tasks.refresh(isWide || !("client" in event) ? undefined : event.client);
      // What comes in for a round that is over is dropped at once: its place is somebody's of the next.
      if (isWide) slots.cutAll((upload) => mayUpload(rounds.state, upload) === undefined);
    },
    onClosed(closed) {
      stats.closed(closed.outcome);
      for (const listener of Array.from(listeners)) {
        try {
          listener(closed);
        } catch (error) {
          // The owner's own; the federation goes on.
          logger.error(
            { error: error instanceof Error ? error.message : String(error) },
            "a listener to rounds failed",
          );
        }
      }
    },
  });
  const secure =
    options.secure &&
    createSecureRounds({
      federation: plan.name,
      length: setup.length,
      settings: setup.settings,
      secure: options.secure,
      state: () => rounds.state,
      now,
      timers,
      logger,
      onMoved: () => tasks.refresh(),
      onSummed: ({ round, clients, mean, totalWeight, bytes }) => {
        // No client alone moves an honest mean further than this; who sends words of no change at all is held to it too.
        const limited = withinNorm(mean, limits.clipNorm);
        rounds.sum!.restore({ count: clients.length, totalWeight, mean: limited });
        rounds.dispatch({ type: "summed", at: now(), round, clients, totalWeight, bytes });
      },
      onAbandoned: (round, suspect) => {
        if (!rounds.isOpen) return;
        // A strike, or it could keep every round from ending.
        if (suspect !== undefined)
          rounds.dispatch({ type: "refused", at: now(), client: suspect, round, code: "wrong-shape" });
        rounds.dispatch({ type: "failed", at: now(), round });
      },
    });
  const presence = createPresence({
    absentMs,
    now,
    timers,
    isHeld: (client) => tasks.listeners(client) > 0,
    onAbsent: (client) => leave(client),
  });

  /** Sessions of clients that know another plan than ours, from before a restart. */
  const outdated = new Map<string, number>();

  const openRound = (): number => rounds.state.open?.round ?? rounds.state.round;
  const clientOf = (client: string): FederationClient | undefined => entryOf(rounds.state.clients, client);
  const leave = (client: string, epoch?: number): void => {
    const known = clientOf(client);
    if (!known || (epoch !== undefined && known.epoch !== epoch)) return;
    presence.forget(client);
    if (known.present) rounds.dispatch({ type: "left", at: now(), client, epoch: known.epoch });
    tasks.forget(client);
  };
  /** Who asks is there; who was taken for gone is there again. */
  const meet = ({ client, epoch }: Member): void => {
    const known = clientOf(client);
    if (!known || epoch > known.epoch)
      throw new SednaError("take part: expected a client that has joined; got another", {
        code: "session-ended",
      });
    // What it sends would be malformed, and no fault of its own.
    if (outdated.get(client) === epoch)
      throw new SednaError(
        "take part: expected a client that knows the plan; got one that joined before it was changed",
        { code: "session-ended" },
      );
    if (epoch < known.epoch)
      throw new SednaError("take part: expected the newest session of the client; got an older one", {
        code: "session-replaced",
      });
    presence.seen(client);
    if (!known.present)
      rounds.dispatch({
        type: "joined",
        at: now(),
        client,
        kind: known.kind,
        epoch,
        numSamples: known.numSamples,
        resources: known.resources,
      });
  };

  /** Why the round does not wait for an update. None of these is a strike, and that it was counted before is as good as the first time. */
  const ask = (
    { client, epoch }: Member,
    { round, modelVersion }: { readonly round: number; readonly modelVersion?: number },
  ): ToldRefusal | UpdateReceipt | undefined => {
    const refused = secure
      ? "not-selected"
      : mayUpload(rounds.state, {
          client,
          epoch,
          round,
          ...(modelVersion !== undefined && { modelVersion }),
        });
    if (refused === undefined) return undefined;
    if (refused === "duplicate") return { round, counted: true, duplicate: true };
    stats.refused(refused);
    return {
      refused,
      error: `take an update: expected one that the open round waits for; got ${refused}`,
      round: openRound(),
    };
  };
  /** Tells why an update is malformed, and writes the strike down. */
  const refuse = ({ client }: Member, { refused, error }: Refusal): ToldRefusal => {
    stats.refused(refused);
    if (clientOf(client))
      rounds.dispatch({ type: "refused", at: now(), client, round: openRound(), code: refused });
    return { refused, error, round: openRound() };
  };
  const count = countUpdate({
    log,
    keepUpdates,
    stats,
    refuse,
    state: () => rounds.state,
    sum: () => rounds.sum,
    ask: ({ member, head }) => ask(member, head),
    counted: ({
      member: { client },
      head: { round, modelVersion, numSamples: weight, metrics },
      bytes,
      digest,
    }) =>
      rounds.dispatch({
        type: "counted",
        at: now(),
        client,
        round,
        modelVersion,
        weight,
        bytes,
        digest,
        ...(metrics && { metrics }),
      }),
  });

  return {
    plan,
    async start() {
      await rounds.start();
      const { open } = rounds.state;
      // The masks of what was open have died with the process.
      if (secure && open && !open.closing) rounds.dispatch({ type: "failed", at: now(), round: open.round });
      for (const { client, epoch, present } of entriesOf(rounds.state.clients)) {
        if (present) presence.seen(client);
        if (rounds.hasNewPlan) outdated.set(client, epoch);
      }
    },
    status: () =>
      federationStatus({
        plan,
        state: rounds.state,
        now: now(),
        epsilons: rounds.epsilons,
        ...(privacy && { privacy: privacy.spent() }),
      }),
    join({ client, epoch, kind, numSamples, resources }) {
      rounds.dispatch({ type: "joined", at: now(), client, kind, epoch, numSamples, resources });
      outdated.delete(client);
      presence.seen(client);
    },
    leave: ({ client, epoch }) => leave(client, epoch),
    epochOf: (client) => clientOf(client)?.epoch,
    task(member) {
      meet(member);
      return tasks.current(member.client);
    },
    onTask(member, listener) {
      meet(member);
      return tasks.onTask(member.client, listener);
    },
    model: (version) => rounds.models.get(version),
    received: (member, round) => slots.received(member, round),
    async admit(member, { round, signal }) {
      meet(member);
      // Who would be refused is not kept waiting to hear it.
      if (ask(member, { round }) === undefined) await slots.admit(member, { signal });
      return slots.received(member, round);
    },
    async receive(member, upload) {
      meet(member);
      const { round, total } = upload;
      const early = ask(member, { round });
      if (early) return early;
      if (total > plan.maxUpdateBytes)
        return refuse(member, {
          refused: "too-long",
          error: `take an update: expected at most ${plan.maxUpdateBytes} bytes; got ${total}`,
        });
      const came = await receiveUpload({ slots, member, upload, onBytes: stats.bytes });
      if (came === "partial" || "why" in came) return ask(member, { round }) ?? { round, counted: false };
      if ("refused" in came) return refuse(member, came);
      try {
        const read = stats.timed(() => readChange(came.buffer, { round, limits, kernels: rounds.kernels }));
        if ("refused" in read) return ask(member, { round }) ?? refuse(member, read);
        const { head, headBytes } = read;
        const { buffer } = came;
        return await count({
          member,
          change: () => (came.cut ? undefined : changeOf(head, buffer.bytes.subarray(headBytes))),
          head,
          digest: head.checksum.toString(16).padStart(8, "0"),
          bytes: total,
          message: () => buffer.bytes.slice(),
        });
      } finally {
        came.free();
      }
    },
    async count(member, { change, numSamples, round, modelVersion, bytes, metrics }) {
      meet(member);
      const early = ask(member, { round, modelVersion });
      if (early) return early;
      const wrong = checkShape(change, limits);
      if (wrong) return refuse(member, wrong);
      // Who speaks Sedna's protocol has seen no plan, and cannot keep to its cap.
      const weight =
        clientOf(member.client)!.kind === "sedna-v1"
          ? Math.min(numSamples, limits.maxNumSamples)
          : numSamples;
      return count({
        member,
        change: () => change,
        head: { round, modelVersion, numSamples: weight, ...(metrics && { metrics }) },
        digest: "",
        bytes,
      });
    },
    receiveSecure(member, answer) {
      meet(member);
      if (!secure)
        return {
          refused: "not-selected",
          error: "take an answer: expected an update; this federation sums in the open",
          round: openRound(),
        };
      let receipt: SecureReceipt;
      try {
        receipt = secure.receive(member.client, answer);
      } catch (error) {
        receipt = unreadable(error);
      }
      if ("refused" in receipt) return refuse(member, receipt);
      stats.bytes(answer.body.length);
      return { round: openRound(), ...receipt };
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
        closing: rounds.isOpen && rounds.state.open?.closing === true,
        now: now(),
        ...(rounds.isOpen
          ? { openedAt: rounds.state.open?.openedAt, modelVersion: rounds.state.modelVersion }
          : { openedAt: undefined, modelVersion: 0 }),
      }),
    async close() {
      presence.close();
      secure?.close();
      slots.close();
      await rounds.close();
    },
  };
}

/** Many slow clients of a little model must not wait for each other; of a large one few fit into memory. */
function placesFor(bytes: number): number {
  return Math.min(MOST_PLACES, Math.max(LEAST_PLACES, Math.floor(PLACES_BYTES / bytes)));
}

const silent: Logger = { info() {}, error() {} };
