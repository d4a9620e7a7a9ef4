import { SednaError } from "@sedna-js/core";
import { createPaceLimiter, type Pace } from "../../http/pace.ts";

/** Options of {@link sessionEpochs}. */
export interface SessionEpochsOptions {
  /** Sessions that a device may begin at once, and each minute from then on. */
  readonly perMinute: number;
  /** Devices to keep in mind at most. */
  readonly maxDevices: number;
  /** How long a session can last, in ms: who was not heard of for longer is forgotten. */
  readonly lastsMs: number;
  /** Unix time in ms. */
  readonly now: () => number;
}

/** Which session of each device is the newest; see {@link sessionEpochs}. */
export interface SessionEpochs {
  /**
   * Lets a device begin one more.
   * @throws {SednaError} `cloud-busy` where it begins too many, or there are too many devices.
   */
  admit(device: string): void;
  /** The number of a new session, above `after`; from now on the device's former ones are replaced. */
  begin(device: string, after?: number): number;
  /**
   * How a session stands. One that is newer than all that are known is taken for the newest: it is from
   * before a restart.
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

/** Keeps the newest session of each device: there is one a device, and it fences the older ones. */
export function sessionEpochs({ perMinute, maxDevices, lastsMs, now }: SessionEpochsOptions): SessionEpochs {
  // In the order in which they were last heard of.
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
        throw busy(`at most ${perMinute} sessions of a device a minute; got one more`, waitMs);
    },
    begin(device, after = 0) {
      const known = knownOf(device);
      // By the clock, so that it also grows over a restart, when none is remembered; and above what others
      // remember, as clocks are put back.
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
  return new SednaError(`begin a session: expected ${expected}`, {
    code: "cloud-busy",
    retryable: true,
    retryAfterMs,
  });
}
