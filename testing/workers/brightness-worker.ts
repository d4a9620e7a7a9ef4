// A Worker for models of four numbers: the standard model host, with a task for pictures that costs almost
// nothing.
import type { Detections, Frame, Task } from "@sedna-js/core";
import { exposeModelHost, modelTasks } from "@sedna-js/edge-agent";

/**
 * Returns one row per picture. Its score is the picture's mean red, so that half of the pictures are hard for
 * a threshold of one half.
 */
const brightness = (): Task<Frame, Detections> => ({
  bind: () => {
    const pixels = new Map<number, Uint8ClampedArray>();
    return {
      kind: "image",
      async preprocess(frame) {
        const size = 4 * frame.width * frame.height;
        const data = pixels.get(size) ?? new Uint8ClampedArray(size);
        pixels.set(size, data);
        await frame.copyTo(data);
        let red = 0;
        for (let i = 0; i < size; i += 4) red += data[i]!;
        return {
          x: { dtype: "float32", shape: [1, 4], data: Float32Array.of((4 * red) / size / 510, 0, 0, 0) },
        };
      },
      postprocess: ({ y }, { width, height }) => [[0, 0, width, height, Number(y!.data[0]), 0]],
      dispose() {},
    };
  },
});

exposeModelHost({ tasks: { ...modelTasks, brightness } });
