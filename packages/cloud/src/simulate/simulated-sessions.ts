import type { Sessions } from "../federation/sessions/sessions.ts";

/** Sessions whose tokens are no secret: nobody outside of the process can ask. A newer one fences the older, as everywhere. */
export function simulatedSessions(): Sessions {
  const epochs = new Map<string, number>();
  return {
    grant: async ({ device }) => {
      const epoch = (epochs.get(device) ?? 0) + 1;
      epochs.set(device, epoch);
      return { client: device, epoch, token: `${device}.${epoch}`, expiresIn: 600 };
    },
    verify: async (token) => {
      const [client = "", number] = token.split(".");
      const epoch = Number(number);
      if (epochs.get(client) === epoch) return { client, epoch };
      return {
        refused: "session-replaced",
        error: "expected the newest session of this device; a newer one has begun",
      };
    },
    end: () => {},
  };
}
