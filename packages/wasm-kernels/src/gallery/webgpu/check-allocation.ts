import type { WebgpuDevice } from "./webgpu-device.ts";

/**
 * Runs `work` and returns its result after the GPU has allocated the buffers that `work` created. `work` is
 * called immediately and is synchronous, because the device has one stack of error scopes for all of its
 * users.
 *
 * @throws {Error} If GPU memory is insufficient, which WebGPU reports later and not where the buffer is
 * created.
 */
export async function checkAllocation<T>(
  device: WebgpuDevice,
  { action, work }: { readonly action: string; readonly work: () => T },
): Promise<T> {
  device.pushErrorScope("out-of-memory");
  const result = work();
  const rejected = await device.popErrorScope();
  if (rejected)
    throw new Error(
      `${action}: expected enough GPU memory; got an out-of-memory error: ${rejected.message}`,
      {
        cause: rejected,
      },
    );
  return result;
}
