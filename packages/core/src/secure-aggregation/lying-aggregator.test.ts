import { describe, expect, it } from "vitest";
import type { SecurePhase } from "../wire/federation.ts";
import type {
  SecureKeys,
  SecureMaskedTask,
  SecureSharesTask,
  SecureUnmaskTask,
} from "../wire/secure-aggregation.ts";
import type { SecureClientOptions } from "./answer-secure-phase.ts";
import { createSecureClient } from "./create-secure-client.ts";
import { keyAgreement } from "./key-agreement.ts";
import { fromBase64, toBase64 } from "./secure-keys.ts";
import { runRound, settingsFor, type TestRound } from "./secure-aggregation.suite.ts";

// An aggregator that tries to obtain the update of one client (T4) alters its messages. The client must
// detect this and reveal nothing more.

const victim = 2;
const forbids = expect.objectContaining({ name: "SednaError", code: "privacy-forbids" }) as unknown;

/** Runs a round in which only the victim receives an altered message in one phase. */
async function lieTo<Message>(
  phase: SecurePhase,
  change: (message: Message) => Message,
  test: Partial<TestRound> = {},
): Promise<unknown> {
  const { errors, round } = await runRound({
    clients: 8,
    ...test,
    lie: (told) =>
      told.to === victim && told.phase === phase ? change(told.message as Message) : told.message,
  });
  if (!errors.has(victim)) throw new Error(`the victim detected nothing; the round was ${round.phase}`);
  return errors.get(victim);
}

const freshKey = async (): Promise<string> =>
  toBase64((await keyAgreement(crypto.getRandomValues(new Uint8Array(32)))).publicKey);

/**
 * Returns the options of a device with test signatures: the device's name and a checksum of the signed bytes.
 */
const signing = (device: string): Partial<SecureClientOptions> => ({
  sign: async (bytes) => ({
    device,
    signature: btoa(`${device} ${bytes.length} ${bytes.reduce((sum, byte) => (sum * 31 + byte) % 1e9, 7)}`),
  }),
  verify: async ({ bytes, device: who, signature }) =>
    signature === (await signing(who).sign!(bytes)).signature,
});

describe("a client of secure aggregation with a dishonest aggregator", { timeout: 60_000 }, () => {
  it("does not reveal both secrets of a client that is listed as survivor and as dropped", async () => {
    const error = await lieTo<SecureUnmaskTask>("unmask", ({ survivors, dropped }) => ({
      survivors,
      dropped: [...dropped, survivors[0]!].toSorted(),
    }));
    expect(error).toEqual(forbids);
    expect((error as Error).message).toContain("both");
  });

  it("rejects a second list of survivors, and reveals no further share", async () => {
    let asked: SecureUnmaskTask | undefined;
    const { clients } = await runRound({
      clients: 8,
      lie: ({ to, phase, message }) =>
        phase === "unmask" && to === victim ? (asked = message as SecureUnmaskTask) : message,
    });
    const { client } = clients[victim]!;
    await expect(client.answer("unmask", asked)).resolves.toMatchObject({ phase: "unmask" });
    const other = { survivors: asked!.survivors.slice(0, -1), dropped: asked!.survivors.slice(-1) };
    await expect(client.answer("unmask", other)).rejects.toEqual(forbids);
    // From now on the client does not respond, not even to a message that it has responded to before.
    await expect(client.answer("unmask", asked)).rejects.toEqual(forbids);
  });

  it.each<[string, (task: SecureUnmaskTask) => SecureUnmaskTask]>([
    ["omits a client", ({ survivors, dropped }) => ({ survivors: survivors.slice(1), dropped })],
    ["invents a client", ({ survivors, dropped }) => ({ survivors: [...survivors, 8], dropped })],
    [
      "lists almost every client as dropped",
      ({ survivors }) => ({ survivors: survivors.slice(0, 2), dropped: survivors.slice(2) }),
    ],
  ])("rejects a list of survivors that %s", async (_, change) => {
    expect(await lieTo("unmask", change)).toEqual(forbids);
  });

  it("does not unmask a list of survivors without itself", async () => {
    let self = -1;
    const { errors } = await runRound({
      clients: 8,
      lie({ to, phase, message }) {
        if (to !== victim) return message;
        // The client's own index is the only one without a box: every neighbor has a box for the client, and
        // the client has none for itself.
        if (phase === "masked")
          self = (message as SecureMaskedTask).present.find(
            (i) => !(message as SecureMaskedTask).boxes.some(({ from }) => from === i),
          )!;
        return phase === "unmask"
          ? { survivors: (message as SecureUnmaskTask).survivors.filter((i) => i !== self), dropped: [self] }
          : message;
      },
    });
    expect(self).toBeGreaterThanOrEqual(0);
    expect(errors.get(victim)).toEqual(forbids);
    expect((errors.get(victim) as Error).message).toContain("itself");
  });

  it("rejects a cohort below its own minimum or below the minimum of the settings", async () => {
    const { errors } = await runRound({
      clients: 8,
      client: (i) => (i === victim ? { minClients: 9 } : {}),
      settings: { minClients: 4 },
    });
    expect(errors.get(victim)).toEqual(forbids);
    expect(
      await lieTo<SecureSharesTask>("shares", (task) => ({ ...task, clients: task.clients.slice(0, 3) }), {
        settings: { minClients: 4 },
      }),
    ).toEqual(forbids);
  });

  it("rejects settings that change, that belong to another model, or whose sum could overflow", async () => {
    expect(
      await lieTo<SecureSharesTask>("shares", (task) => ({
        ...task,
        settings: { ...task.settings, clipRange: 1000 },
      })),
    ).toEqual(forbids);
    expect(
      await lieTo<SecureSharesTask>("keys", (task) => ({
        ...task,
        settings: { ...task.settings, length: 49 },
      })),
    ).toEqual(forbids);
    const client = createSecureClient({
      federation: "test",
      round: 1,
      length: 2,
      update: () => Promise.reject(new Error("not wanted")),
    });
    const settings = { ...settingsFor({ clients: 3 }), length: 2, levels: 2 ** 30, maxWeight: 2 };
    const own = (await client.answer("keys", { settings })).message as SecureKeys;
    const clients = [
      own,
      ...(await Promise.all(
        [1, 2].map(async () => ({ maskKey: await freshKey(), sealKey: await freshKey() })),
      )),
    ].toSorted((a, b) => (a.maskKey < b.maskKey ? -1 : 1));
    await expect(client.answer("shares", { settings, clients })).rejects.toEqual(forbids);
  });

  it("rejects a list without its own keys, and keys that give every client the same secret", async () => {
    const fakes = (
      await Promise.all(
        Array.from({ length: 8 }, async () => ({ maskKey: await freshKey(), sealKey: await freshKey() })),
      )
    ).toSorted((a, b) => (a.maskKey < b.maskKey ? -1 : 1));
    const error = await lieTo<SecureSharesTask>("shares", (task) => ({ ...task, clients: fakes }));
    expect((error as Error).message).toContain("its own keys");
    const zero = toBase64(new Uint8Array(32));
    const same = await lieTo<SecureSharesTask>("shares", (task) => ({
      ...task,
      clients: task.clients.map((one, i) => (i === 0 || i === 7 ? { ...one, sealKey: zero } : one)),
    }));
    expect(same).toEqual(forbids);
  });

  it("detects that it alone was shown other keys, because it cannot decrypt any shares", async () => {
    const [a, b] = [await freshKey(), await freshKey()];
    // One of the two keys is not the client's own. The order by mask keys stays the same.
    const swap = (index: number, key: string) =>
      lieTo<SecureSharesTask>("shares", (task) => ({
        ...task,
        clients: task.clients.map((one, i) => (i === index ? { ...one, sealKey: key } : one)),
      }));
    expect([await swap(0, a), await swap(7, b)]).toEqual([forbids, forbids]);
  });

  it("rejects shares that were altered in transit, once too few can be decrypted", async () => {
    const error = await lieTo<SecureMaskedTask>("masked", (task) => ({
      ...task,
      boxes: task.boxes.map(({ from, box }) => ({
        from,
        box: toBase64(fromBase64(box).map((byte, i) => (i === 5 ? byte ^ 1 : byte))),
      })),
    }));
    expect(error).toEqual(forbids);
  });

  it("rejects a list with too few of its neighbors present", async () => {
    const alone = (present: readonly number[], boxes: SecureMaskedTask["boxes"]): number[] => {
      const self = present.find((i) => !boxes.some(({ from }) => from === i))!;
      return [self, ...present.filter((i) => i !== self).slice(0, 2)].toSorted();
    };
    const error = await lieTo<SecureMaskedTask>("masked", (task) => ({
      ...task,
      present: alone(task.present, task.boxes),
    }));
    expect(error).toEqual(forbids);
    expect((error as Error).message).toContain("neighbors");
  });

  it("takes part if every device signed its keys", async () => {
    const { errors, round } = await runRound({ clients: 8, client: (i) => signing(`device-${i}`) });
    expect([...errors.values()]).toEqual([]);
    expect(round.phase).toBe("done");
  });

  it.each<[string, (task: SecureSharesTask) => Promise<SecureSharesTask>]>([
    [
      "unsigned",
      async (task) => ({
        ...task,
        clients: task.clients.map(({ maskKey, sealKey }) => ({ maskKey, sealKey })),
      }),
    ],
    [
      "signed by another device",
      async (task) => ({
        ...task,
        clients: task.clients.map((one, i) => ({
          ...one,
          signature: task.clients[(i + 1) % task.clients.length]!.signature!,
        })),
      }),
    ],
    [
      "all of one device",
      async (task) => ({
        ...task,
        clients: task.clients.map((one) => ({
          ...one,
          device: task.clients[0]!.device!,
          signature: task.clients[0]!.signature!,
        })),
      }),
    ],
  ])("rejects invented clients whose keys are %s", async (_, change) => {
    const test = { clients: 8, client: (i: number) => signing(`device-${i}`) };
    let task: SecureSharesTask | undefined;
    const { clients } = await runRound({
      ...test,
      lie: ({ to, phase, message }) =>
        to === victim && phase === "shares"
          ? ((task = message as SecureSharesTask), { ...task, clients: [] })
          : message,
    });
    await expect(clients[victim]!.client.answer("shares", await change(task!))).rejects.toEqual(forbids);
  });

  it("rejects a phase out of order with the code update-rejected", async () => {
    const client = createSecureClient({
      federation: "test",
      round: 1,
      length: 2,
      update: () => Promise.reject(new Error("not wanted")),
    });
    await expect(client.answer("masked", {})).rejects.toMatchObject({ code: "update-rejected" });
    await expect(client.answer("unmask", { survivors: [], dropped: [] })).rejects.toMatchObject({
      code: "update-rejected",
    });
  });

  it("returns the same response to a repeated message, also while the first response is pending", async () => {
    const client = createSecureClient({
      federation: "test",
      round: 1,
      length: 2,
      update: () => Promise.reject(new Error("not wanted")),
    });
    const message = { settings: { ...settingsFor({ clients: 3 }), length: 2 } };
    const answers = await Promise.all([client.answer("keys", message), client.answer("keys", message)]);
    expect(answers[0]).toEqual(answers[1]);
    expect(await client.answer("keys", message)).toEqual(answers[0]);
  });
});
