import { spawn, type ChildProcess } from "node:child_process";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

// A network camera for tests: RTSP with packets interleaved in the TCP connection, as cameras behind
// firewalls use. A real ffmpeg encodes the pictures as H.264 and sends them to this process as RTP over UDP.
// Source: RFC 2326.

/** A running camera. */
export interface RtspServer {
  readonly url: string;
  readonly port: number;
  /** Number of PLAY requests so far. */
  readonly plays: number;
  /** Stops sending pictures and keeps the connections open. */
  freeze(): void;
  close(): Promise<void>;
}

/** Options of {@link startRtspServer}. */
export interface RtspServerOptions {
  /** Port to listen on; 0 selects a free one. Default 0. */
  readonly port?: number;
  /** Picture that ffmpeg's lavfi draws. */
  readonly picture?: string;
}

/** Starts a camera on 127.0.0.1. */
export async function startRtspServer({
  port = 0,
  picture = "testsrc=size=320x240:rate=25",
}: RtspServerOptions = {}): Promise<RtspServer> {
  const packets = createSocket("udp4").bind(0, "127.0.0.1");
  await once(packets, "listening");
  const camera = await startCamera(picture, packets.address().port);
  const sockets = new Set<Socket>();
  const playing = new Set<Socket>();
  const state = { plays: 0, frozen: false };

  packets.on("message", (packet) => {
    if (state.frozen) return;
    const header = Buffer.from([0x24, 0, packet.length >> 8, packet.length & 255]);
    // Skip a client that does not read, as cameras do: a queue would grow without a limit.
    for (const socket of playing)
      if (socket.writableLength < 2 ** 20) socket.write(Buffer.concat([header, packet]));
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => void (sockets.delete(socket), playing.delete(socket)));
    answerRequests(socket, camera.sdp, () => {
      state.plays++;
      playing.add(socket);
    });
  });
  await new Promise<void>((resolve, reject) =>
    server.once("error", reject).listen(port, "127.0.0.1", resolve),
  );
  const own = (server.address() as { port: number }).port;
  return {
    url: `rtsp://127.0.0.1:${own}/live`,
    port: own,
    get plays() {
      return state.plays;
    },
    freeze: () => void (state.frozen = true),
    close: () => closeAll({ server, sockets, packets, camera: camera.process }),
  };
}

async function startCamera(
  picture: string,
  port: number,
): Promise<{ readonly process: ChildProcess; readonly sdp: string }> {
  const encode = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-tune",
    "zerolatency",
    "-g",
    "10",
    "-pix_fmt",
    "yuv420p",
    "-flags",
    "+global_header",
  ];
  const process = spawn(
    "ffmpeg",
    [
      "-hide_banner",
      "-nostdin",
      "-loglevel",
      "error",
      "-re",
      "-f",
      "lavfi",
      "-i",
      picture,
      ...encode,
      "-f",
      "rtp",
      `rtp://127.0.0.1:${port}?pkt_size=1200`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let sdp = "";
  for await (const chunk of process.stdout.setEncoding("utf8") as AsyncIterable<string>) {
    sdp += chunk;
    if (/a=fmtp:.*\r?\n/.test(sdp)) break;
  }
  // Add the path at which a client requests the track, and remove the local port.
  return {
    process,
    sdp: `${sdp
      .replace(/^SDP:\s*/, "")
      .replace(/m=video \d+/, "m=video 0")
      .trim()
      .replaceAll(/\r?\n/g, "\r\n")}\r\na=control:track1\r\n`,
  };
}

function answerRequests(socket: Socket, sdp: string, play: () => void): void {
  let received = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      if (received[0] === 0x24) {
        // Skip the client's own reports.
        const length = received.length < 4 ? Infinity : 4 + received.readUInt16BE(2);
        if (received.length < length) return;
        received = received.subarray(length);
        continue;
      }
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) return;
      const request = received.subarray(0, end).toString();
      received = received.subarray(end + 4);
      answer(request);
    }
  });

  const answer = (request: string): void => {
    const [method = "", url = ""] = request.split(" ");
    const cseq = /^CSeq: *(\d+)/im.exec(request)?.[1] ?? "0";
    const reply = (headers: readonly string[], { status = "200 OK", body = "" } = {}): void => {
      socket.write([`RTSP/1.0 ${status}`, `CSeq: ${cseq}`, "Session: 1", ...headers, "", body].join("\r\n"));
    };
    if (method === "OPTIONS") reply(["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"]);
    else if (method === "DESCRIBE")
      reply([`Content-Base: ${url}/`, "Content-Type: application/sdp", `Content-Length: ${sdp.length}`], {
        body: sdp,
      });
    else if (method === "SETUP" && /interleaved=0-1/.test(request))
      reply(["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]);
    else if (method === "SETUP") reply([], { status: "461 Unsupported Transport" });
    else if (method === "PLAY") {
      reply(["Range: npt=0-"]);
      play();
    } else {
      reply([]);
      if (method === "TEARDOWN") socket.end();
    }
  };
}

async function closeAll({
  server,
  sockets,
  packets,
  camera,
}: {
  readonly server: Server;
  readonly sockets: ReadonlySet<Socket>;
  readonly packets: UdpSocket;
  readonly camera: ChildProcess;
}): Promise<void> {
  const ended = camera.exitCode === null && camera.signalCode === null ? once(camera, "exit") : undefined;
  camera.kill("SIGKILL");
  await ended;
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  await new Promise<void>((resolve) => packets.close(resolve));
}
