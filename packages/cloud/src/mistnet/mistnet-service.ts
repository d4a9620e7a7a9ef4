import { SednaError, WireError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { tensorsOf } from "@sedna-js/core/heads";
import { trainMistnetHead, type MistnetTraining } from "@sedna-js/core/mistnet";
import {
  maxMistnetBytes,
  parseMistnetPlan,
  writeSafetensors,
  type MistnetPlan,
  type MistnetStatus,
} from "@sedna-js/core/wire";
import { loadTrainingKernels } from "@sedna-js/wasm-kernels";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { engineTimers, type Timers } from "../timers.ts";
import type { Logger, Service } from "../http/service.ts";
import { mistnetUploads, type UploadStore } from "./mistnet-uploads.ts";

/** Options of {@link mistnetService}. */
export interface MistnetServiceOptions {
  readonly plan: MistnetPlan;
  /** Stores the uploads: `directoryFederationLog(path)` or `memoryFederationLog()`. */
  readonly store: UploadStore;
  /** Number of devices expected to upload records. */
  readonly participants: number;
  /**
   * Deadline as unix time in ms. At the deadline the head is trained on the records received, even if devices
   * are missing.
   */
  readonly deadlineAt: number;
  /**
   * Minimum number of devices; with fewer at the deadline, nothing is trained. Default 0.7 of the
   * participants, rounded up.
   */
  readonly minParticipants?: number;
  readonly training?: MistnetTraining;
  readonly now?: () => number;
  readonly timers?: Timers;
  /** Name of the service in the cloud. Default `mistnet`. */
  readonly name?: string;
}

/** Maximum delay of a timer, in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const DEVICE = /^[\x21-\x7e]{1,200}$/;

/**
 * Creates the cloud's side of MistNet. It collects private records, one upload per device, and trains the
 * head on them when all devices have uploaded or at the deadline. Uploads survive a restart, and the head is
 * trained from them again with bit-identical results. Checks of an upload, in this order: the cloud's token,
 * the device's name, length, format, plan, shapes, finite numbers, labels, that the device has not uploaded
 * other records, and that uploads are still accepted.
 * @throws {WireError} If edges would reject the plan.
 * @throws {RangeError} If `participants` or `minParticipants` is out of range.
 */
export function mistnetService(
  options: MistnetServiceOptions,
): Service & { readonly status: () => MistnetStatus } {
  const {
    store,
    participants,
    deadlineAt,
    training,
    now = Date.now,
    timers = engineTimers(),
    name = "mistnet",
  } = options;
  const plan = parseMistnetPlan(options.plan);
  const least = options.minParticipants ?? Math.ceil(0.7 * participants);
  if (!(Number.isInteger(participants) && participants >= 1 && least >= 1 && least <= participants))
    throw new RangeError(
      `serve MistNet: expected participants from 1 up and minParticipants from 1 to participants; got ${participants} and ${least}`,
    );
  const life: {
    state: MistnetStatus["state"];
    isOpen: boolean;
    head?: Uint8Array<ArrayBuffer>;
    timer?: unknown;
    training?: Promise<void>;
    logger?: Logger;
  } = { state: "collecting", isOpen: false };
  const uploads = mistnetUploads({ store, plan, isTaking: () => life.state === "collecting" });
  const root = `/v1/mistnet/${plan.name}`;

  const status = (): MistnetStatus => ({
    plan,
    state: life.state,
    received: uploads.count,
    participants,
    records: uploads.records,
  });
  const train = async (): Promise<void> => {
    const kernels = await loadTrainingKernels();
    try {
      const flat = trainMistnetHead(await uploads.read(), {
        head: plan.head,
        kernels,
        training,
      });
      life.head = writeSafetensors({
        tensors: tensorsOf(plan.head, flat),
        metadata: {
          format: "sedna-mistnet/1",
          name: plan.name,
          devices: String(uploads.count),
          records: String(uploads.records),
        },
      });
      life.state = "trained";
    } catch (error) {
      life.state = "abandoned";
      life.logger?.error({ error: messageOf(error) }, "the head of a MistNet could not be trained");
    } finally {
      kernels.dispose();
    }
  };
  /**
   * Starts the training if all devices have uploaded or the deadline has passed with enough of them;
   * otherwise abandons the collection at the deadline or schedules the next check.
   */
  const look = (): void => {
    if (life.timer !== undefined) timers.clear(life.timer);
    delete life.timer;
    if (!life.isOpen || life.state !== "collecting") return;
    const isOver = now() >= deadlineAt;
    if (uploads.count >= participants || (isOver && uploads.count >= least)) {
      life.state = "training";
      life.training = train();
    } else if (isOver) life.state = "abandoned";
    else life.timer = timers.set(look, Math.min(MAX_TIMER_MS, Math.max(1, deadlineAt - now())));
  };

  const take = async (c: Context): Promise<Response> => {
    const device = c.req.param("device") ?? "";
    if (!DEVICE.test(device))
      return c.json({ error: "upload records: expected a valid device name; got an invalid one" }, 400);
    if (!life.isOpen) return c.json({ error: "the record store is not open" }, 503, { "retry-after": "1" });
    try {
      // Confirm records that are already stored even if uploads are no longer accepted: the first response
      // may have been lost.
      const outcome = await uploads.put(device, new Uint8Array(await c.req.arrayBuffer()));
      if (outcome === "late")
        return c.json(
          { error: `upload records: expected an upload during collection; the state is ${life.state}` },
          409,
        );
      if (outcome === "conflict")
        return c.json(
          { error: "upload records: expected one upload per device; got different records" },
          409,
        );
      look();
      return c.json(
        { stored: true, ...(outcome === "duplicate" && { duplicate: true }) },
        outcome === "stored" ? 201 : 200,
      );
    } catch (error) {
      if (error instanceof WireError) return c.json({ error: error.message }, 400);
      life.logger?.error({ error: messageOf(error) }, "records could not be stored");
      const isFull = error instanceof SednaError && error.code === "storage-full";
      return isFull
        ? c.json({ error: "no storage space for records" }, 507, { "retry-after": "30" })
        : c.json({ error: "the records could not be stored; see the server's log" }, 500);
    }
  };
  const give = (c: Context): Response => {
    if (life.head)
      return c.body(life.head, 200, {
        "content-type": "application/octet-stream",
        "cache-control": "no-store",
      });
    if (life.state === "abandoned")
      return c.json(
        { error: "the head was not trained: too few devices took part, or their records could not be used" },
        410,
      );
    return c.json({ error: "the head is not trained yet" }, 503, {
      "retry-after": life.state === "training" ? "1" : "15",
      "cache-control": "no-store",
    });
  };

  return {
    name,
    status,
    get ready() {
      return life.isOpen;
    },
    async start() {
      await uploads.open();
      life.isOpen = true;
      look();
    },
    mount(app, { logger }) {
      life.logger = logger;
      const most = maxMistnetBytes(plan);
      const limit = bodyLimit({
        maxSize: most,
        onError: (c) =>
          c.json({ error: `upload records: expected at most ${most} bytes; got more` }, 413, {
            connection: "close",
          }),
      });
      app.get(root, (c) => c.json(status(), 200, { "cache-control": "no-store" }));
      app.put(`${root}/uploads/:device`, limit, take);
      app.get(`${root}/head`, give);
    },
    async close() {
      life.isOpen = false;
      if (life.timer !== undefined) timers.clear(life.timer);
      await life.training;
      await uploads.close();
    },
  };
}
