import { referenceKernels, webgpuGallery } from "@sedna-js/wasm-kernels";
import { tinyOnnx } from "../fakes/tiny-onnx.ts";
import { expectClose, noise, type EngineCheck } from "./engine-check.ts";
import { webgpuAdapter } from "./features.ts";

// Numbers from the specification: the types do not declare the browser's constants.
const usage = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, storage: 0x80 } as const;
const forReading = 0x1;

const needs = (feature?: GPUFeatureName) => async (): Promise<string | undefined> => {
  const adapter = await webgpuAdapter();
  if (!adapter) return "WebGPU";
  return feature === undefined || adapter.features.has(feature) ? undefined : `WebGPU ${feature}`;
};

/** Runs a WGSL expression on each of some half floats and returns the bits of the results. */
async function runHalf(body: string, values: Uint16Array<ArrayBuffer>): Promise<Uint16Array> {
  const device = await (await webgpuAdapter())!.requestDevice({ requiredFeatures: ["shader-f16"] });
  const code = `enable f16; @group(0) @binding(0) var<storage, read_write> x: array<f16>; @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) { let v = x[id.x]; x[id.x] = ${body}; }`;
  const pipeline = await device.createComputePipelineAsync({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
  });
  const buffer = device.createBuffer({
    size: values.byteLength,
    usage: usage.storage | usage.copySource | usage.copyTarget,
  });
  const read = device.createBuffer({ size: values.byteLength, usage: usage.mapRead | usage.copyTarget });
  device.queue.writeBuffer(buffer, 0, values);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    }),
  );
  pass.dispatchWorkgroups(values.length);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, read, 0, values.byteLength);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(forReading);
  const result = new Uint16Array(read.getMappedRange().slice(0));
  device.destroy();
  return result;
}

/** Checks that run on a GPU or on a software adapter. */
export const webgpuChecks: readonly EngineCheck[] = [
  {
    name: "the WebGPU gallery matches the reference kernels",
    lacks: needs(),
    async run() {
      const device = await (await webgpuAdapter())!.requestDevice();
      const [dimensions, count] = [67, 1003];
      const ids = Array.from({ length: count }, (_, i) => i);
      const rows = noise(dimensions * count, 6).map((one) => one - 0.5);
      const question = { queries: noise(dimensions * 3, 7).map((one) => one - 0.5), k: 5 };
      const gallery = webgpuGallery({ device, dimensions });
      await gallery.set(ids, rows);
      const found = (await gallery.match(question)).flat();
      await gallery.dispose();
      device.destroy();
      const twin = referenceKernels().gallery({ dimensions });
      twin.set(ids, rows);
      const expected = twin.match(question).flat();
      expectClose(
        found.map(({ id }) => Number(id)),
        expected.map(({ id }) => Number(id)),
        0,
      );
      return `worst error ${expectClose(
        found.map(({ score }) => score),
        expected.map(({ score }) => score),
        2e-6,
      ).toExponential(1)}`;
    },
  },
  {
    name: "WGSL computes in f16: 1.5 * 1.5 = 2.25, and rounds to f16",
    lacks: needs("shader-f16"),
    async run() {
      // 1.5, 1, 2048, 0.1 as half floats. 2048 + 1 is 2048 in f16 and 2049 in f32.
      expectClose(await runHalf("v * v", Uint16Array.of(0x3e00, 0x3c00)), [0x4080, 0x3c00], 0);
      expectClose(await runHalf("v + 1.0h", Uint16Array.of(0x6800, 0x3e00)), [0x6800, 0x4100], 0);
    },
  },
  {
    name: "ONNX Runtime computes a float16 model on WebGPU",
    lacks: needs("shader-f16"),
    async run() {
      const ort = await import("onnxruntime-web/webgpu");
      const session = await ort.InferenceSession.create(tinyOnnx({ type: 10 }), {
        executionProviders: ["webgpu"],
      });
      // 1.5, -2, 0.0999755859375, 65504 / 2; doubled exactly.
      const bits = Uint16Array.of(0x3e00, 0xc000, 0x2e66, 0x77ff);
      const Half = (globalThis as { Float16Array?: new (buffer: ArrayBuffer) => ArrayLike<number> })
        .Float16Array;
      const input = new ort.Tensor("float16", (Half ? new Half(bits.buffer) : bits) as never, [1, 4]);
      const { y } = await session.run({ x: input });
      const data = (await y!.getData()) as unknown as { buffer: ArrayBuffer; byteOffset: number };
      expectClose(new Uint16Array(data.buffer, data.byteOffset, 4), [0x4200, 0xc400, 0x3266, 0x7bff], 0);
      await session.release();
    },
  },
];
