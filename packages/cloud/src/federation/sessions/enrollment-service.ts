import { SednaError, WireError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { parseEnrollmentRequest } from "@sedna-js/core/wire";
import { bodyLimit } from "hono/body-limit";
import type { Service } from "../../http/service.ts";
import type { EnrolledSessions } from "./enrolled-sessions.ts";

/** Options of {@link enrollmentService}. */
export interface EnrollmentServiceOptions {
  readonly sessions: Pick<EnrolledSessions, "enroll">;
  /** Names of the federations to which these sessions belong. */
  readonly federations: readonly string[];
  /** Name of the service in the cloud. Default `enrollment`. */
  readonly name?: string;
}

const MAX_BYTES = 4096;

/**
 * Creates the service that enrolls devices: `POST /v1/federations/<name>/devices`. Mount it before the
 * federation service, which responds with 404 to unknown paths. This route requires an enrollment token
 * instead of the cloud's token.
 */
export function enrollmentService({
  sessions,
  federations,
  name = "enrollment",
}: EnrollmentServiceOptions): Service {
  const paths = federations.map((federation) => `/v1/federations/${federation}/devices`);
  let ready = false;
  return {
    name,
    guardedPaths: paths,
    get ready() {
      return ready;
    },
    async start() {
      ready = true;
    },
    mount(app, { logger }) {
      const limit = bodyLimit({
        maxSize: MAX_BYTES,
        onError: (c) =>
          c.json({ error: `enroll: expected at most ${MAX_BYTES} bytes; got more` }, 413, {
            connection: "close",
          }),
      });
      for (const path of paths) {
        app.post(path, limit, async (c) => {
          const headers = { "cache-control": "no-store" };
          const token = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
          try {
            const { isNew, ...grant } = await sessions.enroll(parseEnrollmentRequest(await c.req.text()), {
              token,
            });
            return c.json(grant, isNew ? 201 : 200, headers);
          } catch (error) {
            if (error instanceof WireError) return c.json({ error: error.message }, 400, headers);
            if (error instanceof SednaError && error.code === "cloud-refused")
              return c.json({ error: error.message }, 403, headers);
            if (error instanceof SednaError && error.retryable)
              return c.json({ error: error.message }, 503, {
                ...headers,
                "retry-after": String(Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000))),
              });
            logger.error({ error: messageOf(error), path: c.req.path }, "an enrollment failed");
            return c.json({ error: "the enrollment failed; see the server log" }, 500, headers);
          }
        });
      }
    },
    async close() {
      ready = false;
    },
  };
}
