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
  /** Where uploads are kept: `directoryFederationLog(path)` or `memoryFederationLog()`. */
  readonly store: UploadStore;
  /** Devices whose records are waited for. */
  readonly participants: number;
  /** Unix ms. Then the head is trained on what is there, whoever is missing. */
  readonly deadlineAt: number;
  /** Fewer than this at the deadline, and nothing is trained. Default 0.7 of the participants. */
  readonly minParticipants?: number;
  readonly training?: MistnetTraining;
  readonly now?: () => number;
  readonly timers?: Timers;
  /** Its name among the cloud's services. Default `mistnet`. */
  readonly name?: string;
}

/** Longest that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const DEVICE = /^[\x21-\x7e]{1,200}$/;

/**
 * The cloud's end of MistNet: collects private records once a device, and trains the head on them, at the
 * deadline or when all have come. Uploads survive a restart, and the head is trained from them again to the
 * same bits. What is asked of an upload, in this order: whose it is (the cloud's token), whether it is still
 * taken, its length, format, plan, shapes, finite numbers, labels; and that the device has sent no other.
 * @throws {WireError} on a plan that no edge would take. @throws {RangeError} on numbers out of range.
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
      `serve MistNet: expected participants from 1 up and a least from 1 to that; got ${participants} and ${least}`,
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
  /** Goes on where everyone has come or the time is over. */
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
      return c.json({ error: "take records: expected a device's name; got another" }, 400);
    if (!life.isOpen) return c.json({ error: "the records are not open" }, 503, { "retry-after": "1" });
    try {
      // What is there already is told also when nothing more is taken: its answer may have been lost.
      const outcome = await uploads.put(device, new Uint8Array(await c.req.arrayBuffer()));
      if (outcome === "late")
        return c.json(
          { error: `take records: expected them while they are collected; it is ${life.state}` },
          409,
        );
      if (outcome === "conflict")
        return c.json({ error: "take records: expected a device's records once; got others" }, 409);
      look();
      return c.json(
        { stored: true, ...(outcome === "duplicate" && { duplicate: true }) },
        outcome === "stored" ? 201 : 200,
      );
    } catch (error) {
      if (error instanceof WireError) return c.json({ error: error.message }, 400);
      life.logger?.error({ error: messageOf(error) }, "records were not kept");
      const isFull = error instanceof SednaError && error.code === "storage-full";
      return isFull
        ? c.json({ error: "there is no room for records" }, 507, { "retry-after": "30" })
        : c.json({ error: "the records could not be kept; the server's log says why" }, 500);
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
        { error: "the head was not trained: too few took part, or their records could not be used" },
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
          c.json({ error: `take records: expected at most ${most} bytes; got more` }, 413, {
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
