import { WireError } from "@sedna-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJob } from "./parse-job.ts";

const key = { id: "factory", publicKey: `${"A".repeat(43)}=` };
const least = {
  name: "gate",
  source: { directory: "pictures" },
  model: { file: "model.onnx", task: { name: "heatmap" } },
};
const full = {
  name: "gate-1",
  source: { rtsp: "rtsp://10.0.0.2/stream", fps: 5, width: 640 },
  model: { manifest: "https://models.example/people.json", keys: [key] },
  hardExampleMining: { method: "IBT", param: { threshold_img: "0.9" } },
  bigModel: { url: "https://cloud.example", model: "people", protocol: "oip", token: "t0ken" },
  policy: "edge-first",
  deadlineMs: 800,
  threads: 2,
  privacy: { level: "blurred" },
  samples: {
    url: "https://cloud.example",
    token: "t0ken",
    maxItems: 1000,
    maxMegabytes: 200,
    ttlHours: 48,
    whenFull: "drop-oldest",
  },
  update: { pollSeconds: 30 },
  report: {
    sednaLocalController: "http://127.0.0.1:9100",
    worker: "w",
    namespace: "n",
    ownerName: "o",
    ownerKind: "jointinferenceservice",
    periodSeconds: 30,
  },
  status: { port: 9000, host: "::1" },
  data: "/var/lib/gate",
  output: "json",
};
const problems = (value: unknown, options = {}): string[] => {
  try {
    parseJob(value, { from: "job.yaml", ...options });
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return (error as Error).message.split("\n");
  }
};

describe("parseJob()", () => {
  it("returns a job that sets every field unchanged", () => {
    expect(parseJob(full)).toEqual(full);
  });

  it("rejects a URL with a password and does not print the password", () => {
    const told = problems({ ...least, samples: { url: "https://me:s3cret@cloud.example" } });
    expect(told.join()).toContain("samples.url: expected a URL without a user and password");
    expect(told.join()).not.toContain("s3cret");
    expect(problems({ ...least, samples: { url: "https://cloud.example/at/@home" } })).toEqual([]);
  });

  it("accepts Sedna's files for a local model if they are trusted", () => {
    const update = {
      pollSeconds: 60,
      sednaConfig: "/model-hot-update/model_config.json",
      trustLocalFiles: true,
    };
    expect(parseJob({ ...least, update }).update).toEqual(update);
    expect(problems({ ...full, update })).toEqual([
      expect.stringContaining(
        "update.sednaConfig: expected model.file, since Sedna's files are not signed; got model.manifest",
      ),
    ]);
  });

  it("adds the defaults to a minimal job", () => {
    expect(parseJob(least)).toEqual({
      ...least,
      source: { directory: "pictures", watch: true },
      privacy: { level: "features" },
      status: { port: 9465, host: "127.0.0.1" },
      output: "none",
    });
    expect(parseJob({ ...least, status: { port: 1 } }).status).toEqual({ port: 1, host: "127.0.0.1" });
  });

  it.each<[object, string]>([
    [
      { source: { rtsp: "http://10.0.0.2" } },
      "source.rtsp: expected a URL such as rtsp://192.168.1.20/stream1; got a value that is not shown",
    ],
    [
      { source: { rstp: "rtsp://10.0.0.2/" } },
      "source: expected one of rtsp, file, directory, webcam; got rstp: did you mean rtsp?",
    ],
    [
      { source: { rtsp: "rtsp://10.0.0.2/", file: "a.mp4" } },
      "source: expected one of rtsp, file, directory, webcam; got rtsp and file",
    ],
    [
      { source: { file: "a.mp4", fsp: 3 } },
      "source.fsp: expected one of file, fps, width; got an unknown key: did you mean fps?",
    ],
    [
      { source: "camera" },
      'source: expected a mapping with one of rtsp, file, directory, webcam; got "camera"',
    ],
    [{ source: { file: "a.mp4", fps: "5" } }, 'source.fps: expected a number above 0, up to 240; got "5"'],
    [{ model: undefined }, "model: expected a mapping with one of manifest, file; got undefined"],
    [
      { model: { manifest: "https://models.example/m.json", keys: [] } },
      "model.keys: expected at least one public key; got an array of 0",
    ],
    [
      { model: { manifest: "https://models.example/m.json", keys: [{ id: "a", publicKey: "short" }] } },
      'model.keys.0.publicKey: expected an Ed25519 public key: 32 bytes in base64; got "short"',
    ],
    [
      { model: { manifest: "https://models.example/m.json", keys: [{ ...key, pubKey: "" }] } },
      "model.keys.0.pubKey: expected one of id, publicKey; got an unknown key",
    ],
    [
      { model: { file: "m.onnx", task: { name: "heatmaps" } } },
      'model.task.name: expected one of heatmap, nanodet; got "heatmaps": did you mean heatmap?',
    ],
    [{ name: "a b" }, 'name: expected letters, digits, ".", "_" and "-"; got "a b"'],
    [{ name: ".." }, 'name: expected letters, digits, ".", "_" and "-"; got ".."'],
    [{ name: undefined }, 'name: expected letters, digits, ".", "_" and "-"; got nothing'],
    [{ hardExampleMining: { method: "ibt" } }, 'got "ibt": did you mean IBT?'],
    [
      { hardExampleMining: { method: "IBT", param: { threshold_image: "0.9" } } },
      "hardExampleMining.param.threshold_image: expected one of the parameters of IBT: threshold_img, threshold_box; got",
    ],
    [
      { hardExampleMining: { method: "ExpectedF1", param: { upload_ratio: 2 } } },
      "hardExampleMining.param.upload_ratio: expected a number from 0 to 1; got 2",
    ],
    [{ big_model: { url: "x" } }, "big_model: expected one of name, source, model, "],
    [{ big_model: { url: "x" } }, "did you mean bigModel?"],
    [
      { bigModel: { url: "cloud.example" } },
      'bigModel.url: expected a URL such as https://cloud.example; got "cloud.example"',
    ],
    [
      { samples: { url: "https://a.example", max_items: 5 } },
      "samples.max_items: expected one of url, token, maxItems, maxMegabytes, ttlHours, whenFull; got an unknown key: did you mean maxItems?",
    ],
    [{ status: { port: 70_000 } }, "status.port: expected a whole number from 0 to 65535; got 70000"],
    [
      { samples: { url: "https://a.example" }, privacy: { level: "never" } },
      "samples: expected none if privacy.level is never",
    ],
    [
      { update: {} },
      "update: expected model.manifest, which can be polled for new versions, or update.sednaConfig; got model.file",
    ],
    [
      { update: { sednaConfig: "model_config.json" } },
      "update.trustLocalFiles: expected true for sednaConfig",
    ],
    [{ policy: "cloud-only" }, "policy: expected a bigModel for cloud-only; got none"],
  ])("reports the problem in %j", (change, message) => {
    expect(problems({ ...least, ...change })).toEqual([expect.stringContaining(message)]);
    expect(problems({ ...least, ...change })[0]).toMatch(/^read job\.yaml: /);
  });

  it("reports all problems, one per line", () => {
    expect(problems({ name: 1, source: {}, model: [], outptu: "json" })).toHaveLength(4);
    expect(problems(null)).toEqual(["read job.yaml: the whole: expected a mapping; got null"]);
  });

  it("reads secrets from the environment, as whole values only, and never prints one", () => {
    const job = {
      ...least,
      source: { rtsp: "${CAMERA}" },
      bigModel: { url: "https://cloud.example", token: "${TOKEN}" },
    };
    expect(parseJob(job, { environment: { CAMERA: "rtsp://u:p@10.0.0.2/", TOKEN: "s3cret" } })).toMatchObject(
      { source: { rtsp: "rtsp://u:p@10.0.0.2/" }, bigModel: { token: "s3cret" } },
    );
    expect(problems(job, { environment: { CAMERA: "rtsp://10.0.0.2/" } })).toEqual([
      "read job.yaml: bigModel.token: expected the environment variable TOKEN to be set; got none",
    ]);
    expect(
      problems(job, { environment: { CAMERA: "http://u:hunter2@10.0.0.2/", TOKEN: "pass word" } }).join(),
    ).not.toMatch(/hunter2|pass word/);
    expect(problems({ ...least, data: "${HOME}" }, { environment: { HOME: "/root" } })).toEqual([
      "read job.yaml: data: expected a literal value; got ${HOME}, which is read from the environment only for source.rtsp, bigModel.token, samples.token",
    ]);
    expect(problems({ ...least, bigModel: { url: "https://cloud.example", token: "a${TOKEN}" } })).toEqual([
      expect.stringContaining("bigModel.token: expected a token of letters"),
    ]);
  });

  it("C27: returns a job or throws a WireError for any input, and reads nothing from a prototype", () => {
    const nearly = fc.record(
      Object.fromEntries(
        Object.entries(full).map(([name, value]) => [
          name,
          fc.oneof(fc.constant<unknown>(value), fc.anything()),
        ]),
      ),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), nearly), (value) => void problems(value)),
      { numRuns: 2000 },
    );
    const polluting = JSON.parse('{"__proto__": {"output": "json"}, "constructor": 1}') as object;
    expect(problems({ ...least, bigModel: polluting }).join()).toContain("bigModel");
    const circular: Record<string, unknown> = { ...least };
    circular["data"] = circular;
    expect(problems(circular)).toEqual(["read job.yaml: data: expected a text; got an object"]);
  });
});
