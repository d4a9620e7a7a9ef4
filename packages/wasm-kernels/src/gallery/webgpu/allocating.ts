import type { WebgpuDevice } from "./webgpu-device.ts";

/**
 * What `work` returns, once the GPU has had the memory for the buffers that it made. `work` runs at once, in one go:
 * the device has one stack of error scopes for all of its users.
 *
 * @throws {Error} when there was not enough, which WebGPU tells later and elsewhere than where a buffer is made.
 */
export async function allocating<T>(
  device: WebgpuDevice,
  { action, work }: { readonly action: string; readonly work: () => T },
): Promise<T> {
  device.pushErrorScope("out-of-memory");
  const result = work();
  const rejected = await device.popErrorScope();
  if (rejected)
    throw new Error(`${action}: expected enough GPU memory; the device has no more: ${rejected.message}`, {
      cause: rejected,
    });
  return result;
}
