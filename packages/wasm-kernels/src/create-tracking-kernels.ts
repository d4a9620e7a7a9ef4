import { checkAssign, describeAssignment } from "./assignment.ts";
import type { TrackingBackend } from "./backend.ts";
import { checkBoxIou } from "./box-iou.ts";
import { checkFrameDifference, createFrameDifference } from "./frame-difference.ts";
import { openBackend } from "./lifetime.ts";
import type { TrackingKernels } from "./tracking-kernels.ts";

/** The public tracking kernels over a backend: every check is made here, once for all backends. */
export function createTrackingKernels(backend: TrackingBackend): TrackingKernels {
  const { opened, dispose } = openBackend(backend);
  return {
    backend: backend.name,
    boxIou(options) {
      const call = checkBoxIou(options);
      const { boxIou } = opened("boxIou");
      if (call.out.length > 0) boxIou(call);
      return call.out;
    },
    assign(options) {
      const call = checkAssign(options);
      const { assign } = opened("assign");
      return describeAssignment(
        call,
        call.cost.length > 0 ? assign(call) : new Int32Array(call.rows).fill(-1),
      );
    },
    frameDifference(spec) {
      const checked = checkFrameDifference(spec);
      opened("frameDifference");
      return createFrameDifference(checked, (call) => opened("compare").cellLuma(call));
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
