import {
  controlSocket,
  createCloud,
  createFederation,
  type FederationOptions,
  federationService,
  anonymousSessions,
  type Cloud,
  type Federation,
  type Service,
  type SocketRoute,
} from "@sedna-js/cloud";
import { aggregation, select } from "@sedna-js/core";
import { privateAggregator } from "@sedna-js/core/privacy";

/** A federation for everyone with the same URL of the demo page. */
interface Room {
  readonly federation: Federation;
  readonly cloud: Cloud;
  readonly control: SocketRoute;
  lastAt: number;
}

const NAME = /^digits-(plain|secure|private)-[a-z0-9]{4,16}$/;
const MAX_ROOMS = 50;
/** Time without requests after which a room is closed, in ms. */
const IDLE_MS = 30 * 60_000;

const head = { kind: "softmax", features: 196, classes: 10 } as const;
const training = {
  epochs: 1,
  batchSize: 32,
  optimizer: { kind: "sgd", learningRate: 0.3 },
  proximal: 0.1,
} as const;
const ROUNDS = 60;

/**
 * The demo's federations: a room is created on its first request and closed after a time without requests.
 */
export function demoRooms(): Service {
  const rooms = new Map<string, Promise<Room>>();

  const openRoom = async (name: string): Promise<Room> => {
    const federation = createFederation({ name, model: { head, training }, ...settingsOf(name) });
    const sessions = anonymousSessions();
    const cloud = createCloud({ services: [federationService({ federations: [federation], sessions })] });
    await cloud.start();
    return {
      federation,
      cloud,
      control: controlSocket({ federations: [federation], sessions }),
      lastAt: Date.now(),
    };
  };
  const close = async (name: string): Promise<void> => {
    const room = rooms.get(name);
    rooms.delete(name);
    await (await room)?.cloud.drain();
  };
  const roomOf = async (request: Request): Promise<Room | undefined> => {
    const name = new URL(request.url).pathname.split("/")[3] ?? "";
    if (!NAME.test(name)) return undefined;
    if (!rooms.has(name)) {
      for (const [other, opening] of rooms)
        if (Date.now() - (await opening).lastAt > IDLE_MS) await close(other);
      if (rooms.size >= MAX_ROOMS) return undefined;
      if (!rooms.has(name)) {
        const opening = openRoom(name);
        rooms.set(name, opening);
        // A room that could not be opened is tried again on the next request.
        opening.catch(() => rooms.delete(name));
      }
    }
    const room = await rooms.get(name)!;
    room.lastAt = Date.now();
    return room;
  };
  const noRoom = (): Response =>
    Response.json(
      { error: "expected a valid room name, and fewer rooms than the maximum; got another" },
      { status: 404 },
    );

  return {
    name: "rooms",
    guardedPaths: ["/v1/federations/"],
    sockets: [
      {
        path: "/v1/federations/:name/control",
        maxMessageBytes: 16_384,
        firstFrameToken: true,
        accept: async (request) => ((await roomOf(request)) ? undefined : noRoom()),
        open: (socket, request) =>
          void roomOf(request).then((room) =>
            room ? room.control.open(socket, request) : socket.close(1008, "no such room"),
          ),
      },
    ],
    ready: true,
    async start() {},
    mount(app) {
      const answer = async (c: { readonly req: { readonly raw: Request } }): Promise<Response> =>
        (await roomOf(c.req.raw))?.cloud(c.req.raw) ?? noRoom();
      app.all("/v1/federations/:name", answer);
      app.all("/v1/federations/:name/*", answer);
    },
    async close() {
      await Promise.all(Array.from(rooms.keys(), close));
    },
  };
}

function settingsOf(name: string): Omit<FederationOptions, "name" | "model"> {
  const rounds = {
    numRounds: ROUNDS,
    participants: 12,
    minFraction: 1 / 6,
    selectionMs: 1500,
    deadlineMs: 6000,
  };
  const aggregator = select(aggregation, { method: "FedProx" });
  if (name.startsWith("digits-secure-"))
    return {
      aggregator,
      rounds: { ...rounds, minFraction: 1 / 4, deadlineMs: 12_000 },
      privacy: { secureAggregation: {} },
    };
  if (name.startsWith("digits-private-")) {
    const noised = privateAggregator(aggregator, { clipNorm: 0.5, noiseMultiplier: 0.5, delta: 1e-5 });
    return {
      aggregator: noised.aggregator,
      rounds,
      limits: { clipNorm: 0.5 },
      privacy: { differential: noised.privacy },
    };
  }
  return { aggregator, rounds, uploads: { encoding: "int8" } };
}
