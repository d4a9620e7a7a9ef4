import { checkAllocation } from "./check-allocation.ts";
import type { GalleryRows } from "./gallery-rows.ts";
import { scoresWgsl, selectWgsl, stateBytes } from "./gallery-shaders.ts";
import {
  bufferUsage,
  mapModeRead,
  type WebgpuBuffer,
  type WebgpuDevice,
  type WebgpuEncoder,
  type WebgpuPipeline,
} from "./webgpu-device.ts";

/** Input of a match on the GPU. */
export interface MatcherCall {
  readonly rows: GalleryRows;
  /** Number of rows in use. */
  readonly total: number;
  /** Normalized vectors, `rows.stride` elements apart. */
  readonly queries: Float32Array;
  /** Results per query, at most `total`. */
  readonly kept: number;
}

/** The best rows of each query, `kept` per query, in no particular order. */
export interface Matched {
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}

/** Matches queries on a GPU. */
export interface GalleryMatcher {
  /** Maximum number of rows for which all keys of a query fit in a buffer. */
  readonly mostRows: number;
  match(call: MatcherCall): Promise<Matched>;
  destroy(): void;
}

/** Maximum number of queries whose keys are in GPU memory at a time. */
const MAX_QUERIES = 64;

/** Maximum number of workgroups that share the keys of a query: enough to fill a GPU. */
const MAX_GROUPS = 256;

/** Creates a {@link GalleryMatcher} and compiles its shaders. */
export async function galleryMatcher(device: WebgpuDevice): Promise<GalleryMatcher> {
  const mostRows = Math.floor(
    Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize) / 4,
  );
  const { scores, count, choose, collect } = await pipelines(device);
  let keys: WebgpuBuffer | undefined;

  /**
   * Returns a buffer of at least `size` bytes for keys. It is reused for later matches, because the queue
   * runs one match after the other.
   */
  const keysFor = (size: number): WebgpuBuffer => {
    if (keys === undefined || keys.size < size) {
      keys?.destroy();
      keys = device.createBuffer({ size, usage: bufferUsage.storage });
    }
    return keys;
  };

  /** Matches the given queries, whose keys must fit in the buffer, in one submission. */
  const matchSome = async ({ rows, total, queries, kept }: MatcherCall): Promise<Matched> => {
    const number = queries.length / rows.stride;
    const own: WebgpuBuffer[] = [];
    const buffer = (size: number, usage: number): WebgpuBuffer => {
      const made = device.createBuffer({ size, usage });
      own.push(made);
      return made;
    };
    const filled = (data: Uint32Array | Float32Array, usage: number): WebgpuBuffer => {
      const made = buffer(data.byteLength, usage | bufferUsage.copyTarget);
      device.queue.writeBuffer(made, 0, data);
      return made;
    };
    const submit = (): WebgpuBuffer => {
      const allKeys = keysFor(4 * number * total);
      const given = filled(queries, bufferUsage.storage);
      const encoder = device.createCommandEncoder();
      const run = passOf(device, encoder);
      for (const chunk of rows.chunks(total)) {
        const part = filled(
          Uint32Array.of(chunk.rows, rows.stride / 4, number, chunk.first, total),
          bufferUsage.uniform,
        );
        run.dispatch(scores, [part, chunk.buffer, given, allKeys], {
          x: Math.ceil(chunk.rows / 64),
          y: Math.ceil(number / 4),
        });
      }
      const shape = filled(Uint32Array.of(total, kept), bufferUsage.uniform);
      const states = buffer(stateBytes * number, bufferUsage.storage);
      const found = buffer(8 * number * kept, bufferUsage.storage | bufferUsage.copySource);
      const all = { x: Math.min(Math.ceil(total / 256), MAX_GROUPS), y: number };
      for (let digit = 0; digit < 4; digit++) {
        run.dispatch(count, [shape, allKeys, states], all);
        run.dispatch(choose, [shape, undefined, states], { x: number, y: 1 });
      }
      run.dispatch(collect, [shape, allKeys, states, found], all);
      run.end();
      const answer = buffer(found.size, bufferUsage.mapRead | bufferUsage.copyTarget);
      encoder.copyBufferToBuffer(found, 0, answer, 0, found.size);
      device.queue.submit([encoder.finish()]);
      return answer;
    };
    try {
      const answer = await checkAllocation(device, { action: "match", work: submit });
      await answer.mapAsync(mapModeRead).catch((cause: unknown) => {
        throw new Error(`match: expected a result from the GPU; got ${String(cause)}`, { cause });
      });
      return decode(new Uint32Array(answer.getMappedRange()));
    } catch (error) {
      // The allocation of the keys may be what failed.
      keys?.destroy();
      keys = undefined;
      throw error;
    } finally {
      for (const one of own) one.destroy();
    }
  };

  return {
    mostRows,
    async match({ rows, total, queries, kept }) {
      const number = queries.length / rows.stride;
      const matched = { rows: new Uint32Array(number * kept), scores: new Float32Array(number * kept) };
      const most = Math.min(MAX_QUERIES, Math.floor(mostRows / total));
      for (let at = 0; at < number; at += most) {
        const some = await matchSome({
          rows,
          total,
          queries: queries.subarray(at * rows.stride, (at + most) * rows.stride),
          kept,
        });
        matched.rows.set(some.rows, at * kept);
        matched.scores.set(some.scores, at * kept);
      }
      return matched;
    },
    destroy: () => keys?.destroy(),
  };
}

async function pipelines(
  device: WebgpuDevice,
): Promise<Record<"scores" | "count" | "choose" | "collect", WebgpuPipeline>> {
  const [scoring, selecting] = [
    device.createShaderModule({ code: scoresWgsl }),
    device.createShaderModule({ code: selectWgsl }),
  ];
  const pipeline = (module: typeof scoring, entryPoint: string) =>
    device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint } });
  const [scores, count, choose, collect] = await Promise.all([
    pipeline(scoring, "scores"),
    pipeline(selecting, "count"),
    pipeline(selecting, "choose"),
    pipeline(selecting, "collect"),
  ]);
  return { scores, count, choose, collect };
}

/**
 * Starts a compute pass whose dispatches take buffers by binding; `undefined` if the shader has no buffer at
 * that binding.
 */
function passOf(device: WebgpuDevice, encoder: WebgpuEncoder) {
  const pass = encoder.beginComputePass();
  return {
    dispatch(
      pipeline: WebgpuPipeline,
      buffers: readonly (WebgpuBuffer | undefined)[],
      groups: { readonly x: number; readonly y: number },
    ): void {
      const entries = buffers.flatMap((buffer, binding) =>
        buffer ? [{ binding, resource: { buffer } }] : [],
      );
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(groups.x, groups.y);
    },
    end: () => pass.end(),
  };
}

/** Decodes pairs of row and key. The conversion of a key to a float is the inverse of the shader's `keys`. */
function decode(pairs: Uint32Array): Matched {
  const rows = new Uint32Array(pairs.length / 2);
  const bits = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const key = pairs[2 * i + 1]!;
    rows[i] = pairs[2 * i]!;
    bits[i] = key >>> 31 === 1 ? key & 0x7fffffff : ~key;
  }
  return { rows, scores: new Float32Array(bits.buffer) };
}
