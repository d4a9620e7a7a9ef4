import { messageOf } from "@sedna-js/core/errors";
import {
  camera,
  videoElement,
  type Detections,
  type Frame,
  type JointInference,
  type JointResult,
} from "@sedna-js/edge-agent";
import recording from "../../models/vtest/vtest.mp4?url";
import type { Stage } from "./stage.ts";

/** The current source. */
export interface Playing {
  readonly isCamera: boolean;
}

/** Options of {@link createPlayer}. */
export interface PlayerOptions {
  readonly joint: JointInference<Frame, Detections>;
  readonly video: HTMLVideoElement;
  readonly stage: Stage;
  onStart(playing: Playing): void;
  onResult(result: JointResult<Detections>, playing: Playing): void;
}

/** Runs joint inference on the video or the camera. The first toggle starts the video. */
export function createPlayer({ joint, video, stage, onStart, onResult }: PlayerOptions): { toggle(): void } {
  const state = { running: new AbortController(), isCamera: true };

  const open = async (isCamera: boolean, signal: AbortSignal): Promise<AsyncIterable<Frame>> => {
    if (isCamera) return camera({ video: { width: 768, height: 576 }, element: video, signal });
    video.srcObject = null;
    video.src = recording;
    await video.play();
    return videoElement(video, { signal });
  };

  const play = async (isCamera: boolean, signal: AbortSignal): Promise<void> => {
    const playing = { isCamera };
    onStart(playing);
    stage.clear();
    let newest = -1;
    for await (const result of joint.run(await open(isCamera, signal), { signal })) {
      onResult(result, playing);
      // The cloud's result may arrive after results of later frames. It is counted, but the display never
      // steps back.
      if (result.index < newest) continue;
      newest = result.index;
      await stage.show(result);
      if (result.result === null)
        stage.warn(
          result.source === "cloud"
            ? "The cloud does not respond, and the policy does not use the edge."
            : String(result.error),
        );
    }
  };

  const toggle = (): void => {
    state.running.abort();
    state.running = new AbortController();
    state.isCamera = !state.isCamera;
    const { isCamera, running } = state;
    play(isCamera, running.signal).catch((error: unknown) => {
      if (running.signal.aborted) return;
      if (isCamera) toggle();
      stage.warn(messageOf(error));
    });
  };
  return { toggle };
}
