import { UPDATE_TYPE, type RejectionCode } from "@sedna-js/core/wire";
import type { Context } from "hono";
import { bodyChunks } from "../../http/body-chunks.ts";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";

const STATUSES = {
  unauthorized: 401,
  "session-replaced": 409,
  quarantined: 403,
  "not-selected": 409,
  "wrong-round": 409,
  "round-closed": 409,
  "too-long": 413,
  "wrong-length": 422,
  "wrong-digest": 422,
  "wrong-shape": 422,
  "not-finite": 422,
  "norm-too-large": 422,
  "wrong-weight": 422,
  duplicate: 409,
} as const satisfies Record<RejectionCode, number>;

/** Handles `PUT /rounds/<round>/update`: a whole message, or the rest of one from an offset. */
export async function takeUpload(
  c: Context,
  { federation, member }: { readonly federation: Federation; readonly member: Member },
): Promise<Response> {
  const told = (status: 400 | 411 | 415, error: string): Response => c.json({ error }, status);
  const { round = "" } = c.req.param();
  if (!/^\d{1,15}$/.test(round)) return told(400, "accept an update: expected the number of a round");
  const type = c.req.header("content-type");
  if (type !== UPDATE_TYPE)
    return told(415, `accept an update: expected ${UPDATE_TYPE}; got ${type ?? "no content type"}`);
  const part = partOf(c);
  if (!part) return told(411, "accept an update: expected Content-Length, or Content-Range with a total");

  const here = federation.received(member, Number(round));
  if (part.offset > 0 && part.offset !== here) {
    return c.json(
      {
        error: `accept an update: expected it from byte ${here} on; got it from ${part.offset}`,
        code: "wrong-length",
      },
      409,
      { "upload-offset": String(here) },
    );
  }
  const outcome = await federation.receive(member, {
    round: Number(round),
    ...part,
    body: bodyChunks(c.req.raw),
    signal: c.req.raw.signal,
  });
  return tellOutcome(c, outcome);
}

/** Responds with the outcome of an update. */
export function tellOutcome(c: Context, outcome: Awaited<ReturnType<Federation["receive"]>>): Response {
  if ("rejected" in outcome)
    return c.json(
      { error: outcome.error, code: outcome.rejected, round: outcome.round },
      STATUSES[outcome.rejected],
      { "cache-control": "no-store" },
    );
  return c.json(outcome, outcome.accepted ? 200 : 202, { "cache-control": "no-store" });
}

function partOf(c: Context): { readonly offset: number; readonly total: number } | undefined {
  const range = c.req.header("content-range");
  if (range !== undefined) {
    const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(range.trim()) ?? [];
    return first !== undefined && Number(first) <= Number(last) && Number(last) < Number(total)
      ? { offset: Number(first), total: Number(total) }
      : undefined;
  }
  const length = c.req.header("content-length");
  return length !== undefined && /^\d{1,15}$/.test(length) ? { offset: 0, total: Number(length) } : undefined;
}
