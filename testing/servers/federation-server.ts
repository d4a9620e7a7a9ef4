// A real server of a federation's routes, HTTP and the control socket, that injects failures and records its
// requests. It runs no rounds: a test sets the task. For tests of transports.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type {
  FederationTask,
  SessionGrant,
  SessionRequest,
  UpdateReceipt,
  UpdateRejection,
} from "@sedna-js/core/wire";
import { WebSocketServer, type WebSocket } from "ws";
import { fourParameters } from "../fakes/fake-federation.ts";

/** Handles a request in its own way. Returns true if it has handled the request. */
export type FederationFault = (request: IncomingMessage, response: ServerResponse) => boolean;

/** See {@link federationServer}. */
export interface FederationServer {
  readonly url: string;
  /** Requests in order: method, path with query, and range headers. */
  readonly asked: { readonly method: string; readonly path: string; readonly range: string | undefined }[];
  readonly joined: SessionRequest[];
  readonly models: Map<number, Uint8Array>;
  /** Called before each request. */
  mischief: FederationFault | undefined;
  /** Checked before each handshake: if true, the handshake is rejected with 403. */
  refuseSockets: boolean;
  /**
   * Token of the latest session. Tokens in `former` have been replaced; sessions of all other tokens have
   * ended.
   */
  token: string;
  readonly former: Set<string>;
  /** Sets the task and sends it to all clients that wait. */
  say(task: FederationTask): void;
  /** Bytes received of the current update. `updates` has the complete ones. */
  upload: Uint8Array;
  readonly updates: Uint8Array[];
  /** Response to a complete update. */
  answer: { readonly status: number; readonly body: UpdateReceipt | UpdateRejection };
  /** Control sockets that have sent a valid hello. */
  readonly sockets: Set<WebSocket>;
  /** Number of bytes of an upload's chunk to accept before the connection is cut, once. */
  cutUploadAfter: number | undefined;
  close(): Promise<void>;
}

/** Starts a server on a free port. */
export async function federationServer(): Promise<FederationServer> {
  let task: FederationTask = { kind: "wait", seq: 1, round: 0, modelVersion: 0, retryAfterMs: 0 };
  const waiting = new Set<() => void>();
  const http = createServer((request, response) => void answer(request, response));
  const control = new WebSocketServer({ noServer: true });
  const raw = new Set<Socket>();
  http.on("connection", (socket) => {
    raw.add(socket);
    socket.on("close", () => raw.delete(socket));
  });
  let serial = 0;

  const json = (
    response: ServerResponse,
    { status, body }: { readonly status: number; readonly body: unknown },
  ): void =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const refusalOf = (token: string): { error: string; code: string } | undefined => {
    if (token === server.token) return undefined;
    return server.former.has(token)
      ? { error: "a newer session has started", code: "session-replaced" }
      : { error: "no such session", code: "unauthorized" };
  };
  const bodyOf = async (request: IncomingMessage, onPiece: (piece: Uint8Array) => void): Promise<void> => {
    for await (const piece of request) onPiece(piece as Uint8Array);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, search, searchParams } = new URL(request.url!, "http://x");
    const path = pathname.replace(/^\/v1\/federations\/[^/]+/, "");
    server.asked.push({
      method: request.method!,
      path: path + search,
      range: request.headers.range ?? request.headers["content-range"],
    });
    if (server.mischief?.(request, response)) return;
    try {
      if (path === "/sessions" && request.method === "POST") {
        let text = "";
        await bodyOf(request, (piece) => (text += Buffer.from(piece).toString()));
        server.joined.push(JSON.parse(text) as SessionRequest);
        if (server.token) server.former.add(server.token);
        server.token = `token-${++serial}`;
        const grant: SessionGrant = {
          token: server.token,
          expiresIn: 600,
          epoch: serial,
          now: Date.now(),
          plan: fourParameters,
        };
        return json(response, { status: 201, body: grant });
      }
      const rejected = refusalOf((request.headers.authorization ?? "").replace("Bearer ", ""));
      if (rejected)
        return json(response, { status: rejected.code === "unauthorized" ? 401 : 409, body: rejected });
      if (path === "/sessions") {
        server.token = "";
        return void response.writeHead(204).end();
      }
      if (path === "/task") {
        const after = searchParams.get("after");
        if (after !== null && Number(after) >= task.seq) {
          const timer = { handle: undefined as NodeJS.Timeout | undefined };
          await new Promise<void>((resolve) => {
            waiting.add(resolve);
            timer.handle = setTimeout(resolve, 1000 * Number(searchParams.get("wait")));
            response.on("close", resolve);
          });
          clearTimeout(timer.handle);
        }
        return json(response, { status: 200, body: task });
      }
      if (path.startsWith("/models/"))
        return giveModel(Number(path.slice("/models/".length)), { request, response });
      if (request.method === "HEAD")
        return void response.writeHead(200, { "upload-offset": String(server.upload.length) }).end();
      return await takeUpdate(request, response);
    } catch {
      response.destroy();
    }
  };

  const giveModel = (
    version: number,
    { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  ): void => {
    const model = server.models.get(version);
    if (!model) return json(response, { status: 404, body: { error: "no such model" } });
    const etag = `"${createHash("sha256").update(model).digest("hex")}"`;
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const isRest = from > 0 && (request.headers["if-range"] ?? etag) === etag;
    if (!isRest) return void response.writeHead(200, { etag, "content-length": model.length }).end(model);
    response
      .writeHead(206, { etag, "content-range": `bytes ${from}-${model.length - 1}/${model.length}` })
      .end(model.subarray(from));
  };

  const takeUpdate = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, first, , total] =
      /^bytes (\d+)-(\d+)\/(\d+)$/.exec(request.headers["content-range"] ?? "") ?? [];
    if (Number(first) === 0) server.upload = new Uint8Array(0);
    if (Number(first) !== server.upload.length)
      return void response
        .writeHead(409, { "upload-offset": String(server.upload.length), "content-type": "application/json" })
        .end(JSON.stringify({ error: "another part", code: "wrong-length", round: 1 }));
    let came = 0;
    await bodyOf(request, (piece) => {
      const taken = piece.subarray(0, (server.cutUploadAfter ?? Infinity) - came);
      came += taken.length;
      server.upload = Buffer.concat([server.upload, taken]);
      if (came !== server.cutUploadAfter) return;
      server.cutUploadAfter = undefined;
      request.socket.destroy();
    });
    if (server.upload.length < Number(total))
      return json(response, { status: 202, body: { round: 1, accepted: false } });
    server.updates.push(server.upload);
    json(response, server.answer);
  };

  http.on("upgrade", (request, socket, head) => {
    server.asked.push({
      method: "UPGRADE",
      path: request.url!.replace(/^\/v1\/federations\/[^/]+/, ""),
      range: undefined,
    });
    if (server.refuseSockets) return void socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    control.handleUpgrade(request, socket, head, (opened) => {
      opened.on("error", () => {});
      opened.on("message", (data) => {
        const said = JSON.parse(String(data)) as { type: string; token?: string };
        if (said.type === "ping") return opened.send('{"type":"pong"}');
        const rejected = refusalOf(said.token ?? "");
        if (rejected) return opened.close(rejected.code === "unauthorized" ? 4401 : 4409, rejected.code);
        server.sockets.add(opened);
        opened.on("close", () => server.sockets.delete(opened));
        opened.send(JSON.stringify(task));
      });
    });
  });

  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: FederationServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    asked: [],
    joined: [],
    models: new Map(),
    mischief: undefined,
    refuseSockets: false,
    token: "",
    former: new Set(),
    say(next) {
      task = next;
      for (const wake of waiting) wake();
      waiting.clear();
      for (const socket of server.sockets) socket.send(JSON.stringify(next));
    },
    upload: new Uint8Array(0),
    updates: [],
    answer: { status: 200, body: { round: 1, accepted: true } },
    sockets: new Set(),
    cutUploadAfter: undefined,
    close: () =>
      new Promise((resolve) => {
        for (const socket of control.clients) socket.terminate();
        control.close();
        http.close(() => resolve());
        for (const socket of raw) socket.destroy();
      }),
  };
  return server;
}
