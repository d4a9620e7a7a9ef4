import { checkAllocation } from "./check-allocation.ts";
import { bufferUsage, type WebgpuBuffer, type WebgpuDevice } from "./webgpu-device.ts";

/**
 * Rows in GPU memory, padded to a multiple of four floats, in chunks that the device limits allow. All chunks
 * except the last are full.
 */
export interface GalleryRows {
  /** Floats per row, including padding. */
  readonly stride: number;
  /** Returns the chunks that hold the first `count` rows. */
  chunks(
    count: number,
  ): readonly { readonly buffer: WebgpuBuffer; readonly first: number; readonly rows: number }[];
  /**
   * Reserves memory for `count` rows and keeps the first `used` rows. Rejects with an Error and changes
   * nothing if the device has too little memory.
   */
  reserve(count: number, used: number): Promise<void>;
  /** Writes whole rows, starting at `row`. */
  write(row: number, values: Float32Array): void;
  copy(move: { readonly from: number; readonly to: number }): void;
  destroy(): void;
}

/** Rows in the first buffer of a gallery, which grows by doubling. */
const FIRST_ROWS = 256;

/** Rows that one workgroup of the score shader compares. */
const GROUP_ROWS = 64;

const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;

/** Creates empty {@link GalleryRows}. */
export function galleryRows(device: WebgpuDevice, dimensions: number): GalleryRows {
  const stride = 4 * Math.ceil(dimensions / 4);
  const bytes = 4 * stride;
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension } = device.limits;
  const most = Math.min(
    Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / bytes),
    GROUP_ROWS * maxComputeWorkgroupsPerDimension,
  );
  const buffers: WebgpuBuffer[] = [];
  const spare = device.createBuffer({ size: bytes, usage });
  const rowsOf = (buffer: WebgpuBuffer | undefined): number => (buffer ? buffer.size / bytes : 0);
  const place = (row: number) => ({ buffer: buffers[Math.floor(row / most)]!, offset: (row % most) * bytes });

  return {
    stride,
    chunks: (count) =>
      Array.from({ length: Math.ceil(count / most) }, (_, i) => ({
        buffer: buffers[i]!,
        first: i * most,
        rows: Math.min(most, count - i * most),
      })),
    async reserve(count, used) {
      const grown: { readonly at: number; readonly buffer: WebgpuBuffer }[] = [];
      const grow = () => {
        for (let at = 0; at * most < count; at++) {
          const needed = Math.min(most, count - at * most);
          const present = rowsOf(buffers[at]);
          if (present >= needed) continue;
          const size = bytes * Math.min(most, Math.max(needed, 2 * present, FIRST_ROWS));
          grown.push({ at, buffer: device.createBuffer({ size, usage }) });
        }
      };
      await checkAllocation(device, { action: "set", work: grow }).catch((error: unknown) => {
        for (const { buffer } of grown) buffer.destroy();
        throw error;
      });
      const encoder = device.createCommandEncoder();
      const old = grown.flatMap(({ at, buffer }) => {
        const before = buffers[at];
        buffers[at] = buffer;
        if (!before) return [];
        const kept = Math.min(before.size, bytes * (used - at * most));
        // If rows were deleted, a chunk may have no rows left.
        if (kept > 0) encoder.copyBufferToBuffer(before, 0, buffer, 0, kept);
        return [before];
      });
      device.queue.submit([encoder.finish()]);
      for (const buffer of old) buffer.destroy();
    },
    write(row, values) {
      for (let at = 0; at * stride < values.length;) {
        const { buffer, offset } = place(row + at);
        const rows = Math.min(values.length / stride - at, most - ((row + at) % most));
        device.queue.writeBuffer(buffer, offset, values.subarray(at * stride, (at + rows) * stride));
        at += rows;
      }
    },
    copy({ from, to }) {
      const [source, target] = [place(from), place(to)];
      // Copy through a spare row: WebGPU does not allow a copy within one buffer.
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source.buffer, source.offset, spare, 0, bytes);
      encoder.copyBufferToBuffer(spare, 0, target.buffer, target.offset, bytes);
      device.queue.submit([encoder.finish()]);
    },
    destroy() {
      spare.destroy();
      for (const buffer of buffers.splice(0)) buffer.destroy();
    },
  };
}
