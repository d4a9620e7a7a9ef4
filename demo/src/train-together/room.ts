/** The room in which tabs train together, and this tab's part in it. */
export interface Room {
  readonly mode: Mode;
  /** Name of the federation. Everyone with the same page URL shares it. */
  readonly federation: string;
  /** Identifier of this tab, kept across reloads. */
  readonly device: string;
  /** Index of this tab's digits. */
  readonly share: number;
  /** Returns the page's URL in another mode, with the federation of that mode. */
  address(mode: Mode): string;
}

/** The protection of updates. */
export type Mode = "plain" | "secure" | "private";

const modes: readonly Mode[] = ["plain", "secure", "private"];
/** Number of shares of the digits. */
const SHARES = 9;

/** Enters the room that the page's URL names. Otherwise creates a room and adds it to the URL. */
export async function enterRoom(): Promise<Room> {
  const address = new URL(location.href);
  const asked = address.searchParams.get("mode");
  const mode = modes.find((one) => one === asked) ?? "plain";
  const room =
    /^[a-z0-9]{4,16}$/.exec(address.searchParams.get("room") ?? "")?.[0] ?? crypto.randomUUID().slice(0, 8);
  address.searchParams.set("room", room);
  history.replaceState(null, "", address);
  const device = sessionStorage.getItem("device") ?? crypto.randomUUID();
  sessionStorage.setItem("device", device);
  const share = address.searchParams.get("share");
  return {
    mode,
    device,
    federation: `digits-${mode}-${room}`,
    share: share === null ? await freeShare(room) : Number(share),
    address(other) {
      const there = new URL(address);
      there.searchParams.set("mode", other);
      return there.href;
    },
  };
}

/**
 * Returns the first share that no other tab of this browser holds in this room. The share is held until the
 * tab closes.
 */
async function freeShare(room: string): Promise<number> {
  for (let share = 0; share < SHARES; share++) {
    const isMine = await new Promise<boolean>((resolve) => {
      void navigator.locks.request(`digits of ${room}: ${share}`, { ifAvailable: true }, async (lock) => {
        resolve(lock !== null);
        if (lock) await new Promise(() => {});
      });
    });
    if (isMine) return share;
  }
  return Math.floor(Math.random() * SHARES);
}
