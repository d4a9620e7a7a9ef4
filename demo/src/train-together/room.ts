/** Where tabs meet, and what this one brings. */
export interface Room {
  readonly mode: Mode;
  /** The federation's name: those who have the page's address share it. */
  readonly federation: string;
  /** This tab, the same after a reload. */
  readonly device: string;
  /** Which digits are this tab's. */
  readonly share: number;
  /** The page's address in another mode, and the federation that goes with it. */
  address(mode: Mode): string;
}

/** How updates are protected. */
export type Mode = "plain" | "secure" | "private";

const modes: readonly Mode[] = ["plain", "secure", "private"];
/** Digits for so many tabs. */
const SHARES = 9;

/** The room that the page's address names, or a new one, which the address names from then on. */
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

/** The first share that no other tab of this browser holds in this room; held until the tab is closed. */
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
