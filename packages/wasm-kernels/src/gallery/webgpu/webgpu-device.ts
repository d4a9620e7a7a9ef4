/**
 * Structural types of the parts of WebGPU that this package uses, because Node users have neither the DOM
 * library nor a package with the types of WebGPU. A browser's `GPUDevice` is a {@link WebgpuDevice}.
 */

/** A `GPUDevice`. */
export interface WebgpuDevice {
  readonly limits: {
    readonly maxBufferSize: number;
    readonly maxStorageBufferBindingSize: number;
    readonly maxComputeWorkgroupsPerDimension: number;
  };
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly queue: {
    writeBuffer(buffer: WebgpuBuffer, offset: number, data: ArrayBufferView): void;
    submit(commands: WebgpuHandle[]): void;
  };
  createBuffer(descriptor: { readonly size: number; readonly usage: number }): WebgpuBuffer;
  createShaderModule(descriptor: { readonly code: string }): WebgpuHandle;
  createComputePipelineAsync(descriptor: {
    readonly layout: WebgpuHandle | "auto";
    readonly compute: { readonly module: WebgpuHandle; readonly entryPoint?: string };
  }): Promise<WebgpuPipeline>;
  createBindGroup(descriptor: {
    readonly layout: WebgpuHandle;
    readonly entries: {
      readonly binding: number;
      readonly resource: WebgpuHandle | { readonly buffer: WebgpuBuffer };
    }[];
  }): WebgpuHandle;
  createCommandEncoder(): WebgpuEncoder;
  pushErrorScope(filter: "out-of-memory"): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
}

/**
 * A shader module, bind group, layout, or command buffer: created by the device and only passed back to it.
 */
export interface WebgpuHandle {
  readonly label: string;
}

/** A `GPUBuffer`. */
export interface WebgpuBuffer extends WebgpuHandle {
  readonly size: number;
  mapAsync(mode: number): Promise<undefined | void>;
  getMappedRange(): ArrayBuffer;
  destroy(): void;
}

/** A `GPUComputePipeline`. */
export interface WebgpuPipeline extends WebgpuHandle {
  getBindGroupLayout(index: number): WebgpuHandle;
}

/** A `GPUComputePassEncoder`. */
export interface WebgpuPass {
  setPipeline(pipeline: WebgpuPipeline): void;
  setBindGroup(index: number, group: WebgpuHandle | null): void;
  dispatchWorkgroups(x: number, y?: number): void;
  end(): void;
}

/** A `GPUCommandEncoder`. */
export interface WebgpuEncoder {
  beginComputePass(): WebgpuPass;
  copyBufferToBuffer(
    source: WebgpuBuffer,
    sourceOffset: number,
    target: WebgpuBuffer,
    targetOffset: number,
    size: number,
  ): void;
  finish(): WebgpuHandle;
}

/** Flags of `GPUBufferUsage`, which is a global only in browsers. */
export const bufferUsage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;

/** `GPUMapMode.READ`. */
export const mapModeRead = 1;
