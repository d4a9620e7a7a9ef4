import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createSdNotify } from "./sd-notify.node.ts";

// systemd's end of the socket, in Python, since Node has no Unix datagram socket.
const listener = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    data, fds, _, _ = socket.recv_fds(s, 4096, 8)
    for fd in fds: os.close(fd)
    print(data.decode(), flush=True)
`;
const lacks = ["systemd-notify", "python3"].filter(
  (program) => spawnSync(program, ["--version"]).status !== 0,
);

describe("createSdNotify()", () => {
  it.skipIf(lacks.length > 0)(
    `notifies systemd of readiness, the watchdog heartbeat, and the stop${lacks.length > 0 ? ` (no ${lacks.join(", ")} here)` : ""}`,
    { timeout: 30_000 },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "sedna-"));
      const path = join(folder, "notify");
      const python = spawn("python3", ["-c", listener, path]);
      const text = { out: "" };
      python.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
      try {
        await expect.poll(() => text.out, { timeout: 10_000 }).toContain("bound");
        using systemd = createSdNotify({
          environment: { ...process.env, NOTIFY_SOCKET: path, WATCHDOG_USEC: "200000" },
        });
        expect(text.out).not.toContain("READY");
        systemd.ready();
        await expect.poll(() => text.out, { timeout: 10_000 }).toContain("READY=1");
        await expect.poll(() => text.out.split("WATCHDOG=1").length, { timeout: 10_000 }).toBeGreaterThan(2);
        systemd.stopping();
        await expect.poll(() => text.out, { timeout: 10_000 }).toContain("STOPPING=1");
      } finally {
        python.kill();
        await once(python, "close");
        await rm(folder, { recursive: true });
      }
    },
  );

  it("does nothing if systemd did not start it, and reports once that its program is missing", async () => {
    const errors: Error[] = [];
    const onError = (error: Error): void => void errors.push(error);
    using idle = createSdNotify({ environment: { PATH: "/nowhere", WATCHDOG_USEC: "10000" }, onError });
    idle.ready();
    using without = createSdNotify({
      environment: { PATH: "/nowhere", NOTIFY_SOCKET: "/nowhere", WATCHDOG_USEC: "10000" },
      onError,
    });
    without.ready();
    await expect.poll(() => errors.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(errors).toMatchObject([{ code: "ENOENT" }]);
  });
});
