import { SednaError } from "@sedna-js/core";
import { createPaceLimiter, type Pace } from "../../http/pace.ts";

/** Options of {@link sessionEpochs}. */
export interface SessionEpochsOptions {
  /** Sessions that a device may start at once, and per minute from then on. */
  readonly perMinute: number;
  /** Maximum number of devices to remember. */
  readonly maxDevices: number;
  /** Maximum lifetime of a session, in ms. A device that was inactive for longer is forgotten. */
  readonly lastsMs: number;
  /** Returns the Unix time in ms. */
  readonly now: () => number;
}

/** Tracks the latest session of each device; see {@link sessionEpochs}. */
export interface SessionEpochs {
  /**
   * Checks that a device may start another session.
   * @throws {SednaError} `cloud-busy` If the device starts too many sessions, or there are too many devices.
   */
  admit(device: string): void;
  /**
   * Starts a session. Returns its epoch, which is above `after`; from now on, earlier sessions of the device
   * are replaced.
   */
  begin(device: string, after?: number): number;
  /**
   * Returns the state of a session. A session that is newer than all known ones is taken as the newest: it is
   * from before a restart.
   */
  standing(device: string, epoch: number): "latest" | "replaced" | "ended";
  end(device: string, epoch: number): void;
}

interface Known {
  epoch: number;
  ended: boolean;
  heardAt: number;
  readonly pace: Pace;
}

/** Tracks the latest session of each device. A device has one session, which fences its older ones. */
export function sessionEpochs({ perMinute, maxDevices, lastsMs, now }: SessionEpochsOptions): SessionEpochs {
  // In order of the last activity.
  const devices = new Map<string, Known>();

  const heard = (device: string, known: Known): Known => {
    known.heardAt = now();
    devices.delete(device);
    devices.set(device, known);
    return known;
  };
  const makeRoom = (): void => {
    for (const [device, { heardAt }] of devices) {
      if (now() - heardAt <= lastsMs) break;
      devices.delete(device);
    }
    if (devices.size >= maxDevices) throw busy(`at most ${maxDevices} devices; got one more`, lastsMs / 2);
  };
  const knownOf = (device: string): Known => {
    const known = devices.get(device);
    if (known) return heard(device, known);
    makeRoom();
    return heard(device, {
      epoch: 0,
      ended: false,
      heardAt: 0,
      pace: createPaceLimiter({ perSecond: perMinute / 60, burst: Math.max(1, perMinute), now }),
    });
  };

  return {
    admit(device) {
      const waitMs = knownOf(device).pace.admit();
      if (waitMs !== undefined)
        throw busy(`at most ${perMinute} sessions per device and minute; got one more`, waitMs);
    },
    begin(device, after = 0) {
      const known = knownOf(device);
      // Use the clock, so that epochs also increase across a restart that loses them. Stay above `after` as
      // well, because clocks are set back.
      known.epoch = Math.max(known.epoch + 1, after + 1, Math.floor(now()));
      known.ended = false;
      return known.epoch;
    },
    standing(device, epoch) {
      const known = knownOf(device);
      if (epoch > known.epoch) Object.assign(known, { epoch, ended: false });
      if (epoch < known.epoch) return "replaced";
      return known.ended ? "ended" : "latest";
    },
    end(device, epoch) {
      const known = devices.get(device);
      if (known?.epoch === epoch) known.ended = true;
    },
  };
}

function busy(expected: string, retryAfterMs: number): SednaError {
  return new SednaError(`start a session: expected ${expected}`, {
    code: "cloud-busy",
    retryable: true,
    retryAfterMs,
  });
}
