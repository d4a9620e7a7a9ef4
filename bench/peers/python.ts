import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Parameters of a contestant. A string is the name of an array passed to `put`. */
export type PythonParams = Readonly<Record<string, number | string>>;

/** A Python process with numpy on one thread that runs contestants by name. */
export interface Python {
  readonly available: true;
  /** Python's version. */
  readonly version: string;
  /** numpy's version, its BLAS, and the vector extensions that numpy found, as a phrase. */
  readonly numpy: string;
  readonly contestants: readonly string[];
  /**
   * Sends a float32 array under a name, for contestants whose inputs must equal ours.
   *
   * @throws {RangeError} If the shape has another number of elements.
   */
  put(
    name: string,
    array: { readonly values: Float32Array; readonly shape: readonly number[] },
  ): Promise<void>;
  /**
   * Runs a contestant once and returns the time of the call alone, measured in Python, in ms. The first run
   * with new parameters also prepares, untimed.
   */
  run(name: string, params: PythonParams): Promise<number>;
  /** Runs a contestant and returns the few numbers by which a test verifies its result. */
  check(name: string, params: PythonParams): Promise<number[]>;
  /** Releases all arrays. */
  forget(): Promise<void>;
  dispose(): Promise<void>;
}

/** The reason why Python is not available. */
export interface NoPython {
  readonly available: false;
  readonly reason: string;
}

interface Hello {
  readonly version: string;
  readonly numpy: string;
  readonly blas: string;
  readonly simd: readonly string[];
  readonly contestants: readonly string[];
}

interface Waiting {
  resolve(answer: Record<string, unknown>): void;
  reject(error: Error): void;
}

const server = fileURLToPath(new URL("server.py", import.meta.url));

/** Path of the interpreter in the environment that `npm run bench -- peers` creates. */
export const venvPython = fileURLToPath(
  new URL(process.platform === "win32" ? ".venv/Scripts/python.exe" : ".venv/bin/python", import.meta.url),
);

/** Starts bench/peers/server.py. The default interpreter is {@link venvPython}. */
export async function createPython({ python = venvPython }: { readonly python?: string } = {}): Promise<
  Python | NoPython
> {
  if (!existsSync(python))
    return {
      available: false,
      reason: "no Python environment in bench/peers/.venv; create it with npm run bench -- peers",
    };
  const child = spawn(python, ["-u", server], { stdio: "pipe" });
  const { ask, ended } = conversation(child);
  try {
    const { version, numpy, blas, simd, contestants } = (await ask({ do: "hello" })) as unknown as Hello;
    return {
      available: true,
      version,
      numpy: `${numpy}, ${blas}, ${simd.join(" ")}`,
      contestants,
      async put(name, { values, shape }) {
        const elements = shape.reduce((product, axis) => product * axis, 1);
        if (elements !== values.length)
          throw new RangeError(
            `put ${name}: expected ${elements} elements for shape [${shape.join(", ")}]; got ${values.length}`,
          );
        await ask(
          { do: "put", name, shape },
          new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        );
      },
      run: async (name, params) => (await ask({ do: "run", name, params }))["ms"] as number,
      check: async (name, params) => (await ask({ do: "check", name, params }))["result"] as number[],
      forget: async () => void (await ask({ do: "forget" })),
      async dispose() {
        child.stdin.end();
        await ended;
      },
    };
  } catch (error) {
    child.stdin.end();
    return { available: false, reason: (error as Error).message };
  }
}

/** Sends requests over the child's pipes and matches the replies by number. */
function conversation(child: ChildProcessWithoutNullStreams): {
  ask(question: object, bytes?: Uint8Array): Promise<Record<string, unknown>>;
  ended: Promise<void>;
} {
  const waiting = new Map<number, Waiting>();
  const said: string[] = [];
  let asked = 0;
  let over: Error | undefined;

  const fail = (error: Error): void => {
    over = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      fail(error);
      resolve();
    });
    child.once("close", (code) => {
      fail(
        new Error(
          `Python exited with code ${code}: ${said.join("").trim().split("\n").at(-1) || "nothing on stderr"}`,
        ),
      );
      resolve();
    });
  });
  // Writing to a pipe whose reader has exited also emits an error; `close` reports the reason.
  child.stdin.on("error", () => {});
  child.stderr.on("data", (text: Buffer) => said.push(String(text)));
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, error, ...answer } = JSON.parse(line) as { id: number; error?: string };
    const asker = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asker?.resolve(answer);
    else asker?.reject(new Error(`Python: ${error}`));
  });

  return {
    ended,
    ask(question, bytes) {
      return new Promise((resolve, reject) => {
        if (over) return reject(over);
        const id = ++asked;
        waiting.set(id, { resolve, reject });
        child.stdin.write(`${JSON.stringify({ id, ...question })}\n`);
        // Python reads the bytes before it replies, so the caller may then reuse the array.
        if (bytes) child.stdin.write(bytes);
      });
    },
  };
}
