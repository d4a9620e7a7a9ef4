import {
  toNested,
  WireError,
  type Detection,
  type Detections,
  type EncodedImage,
  type Frame,
  type Tensor,
  type Tensors,
} from "@sedna-js/core";
import { isFrame } from "@sedna-js/core/vision";
import {
  formatInferRequest,
  INFERENCE_HEADER_LENGTH,
  parseDetections,
  parseInferResponse,
  parsePredictResponse,
  type OipTensor,
} from "@sedna-js/core/wire";
import type { HttpRequest, Reply } from "../http/http-request.ts";
import { readJson } from "../http/read-json.ts";

/** A sample for a big model: a frame, one tensor, or a model's named inputs. */
export type BigModelSample = Frame | Tensor | Tensors;

/** The result of a big model for each kind of sample. */
export type BigModelResult<Sample> = Sample extends Frame
  ? Detections
  : Sample extends Tensor
    ? Float32Array
    : Tensors;

/** A request for one sample, with the function that reads its response. */
export interface Question {
  readonly request: HttpRequest;
  /** Reads the response. @throws {WireError} If the response does not follow the protocol. */
  read(reply: Reply): unknown;
}

/** Options of a {@link Protocol}: the server's URL, the model's name, and the frame encoder. */
export interface ProtocolOptions {
  readonly url: string;
  readonly model: string;
  encode(frame: Frame): Promise<EncodedImage>;
}

/** Creates a function that turns samples into requests. */
export type Protocol = (options: ProtocolOptions) => (sample: BigModelSample) => Promise<Question>;

/**
 * Sedna's REST protocol: `POST /<model>/predict` with `{"data": [...]}`; the response is `{"result": [...]}`.
 * Frames are sent encoded, as the body itself. Sedna's own server does not support that; the server of this
 * project does.
 */
export const sedna: Protocol = ({ url, model, encode }) => {
  const endpoint = `${url}/${encodeURIComponent(model)}/predict`;
  const readResult = ({ body }: Reply): readonly unknown[] =>
    parsePredictResponse(readJson(body, "read the big model's response")).result;

  return async (sample) => {
    if (isFrame(sample)) {
      const image = await encode(sample);
      return {
        request: { url: endpoint, headers: { "content-type": image.type }, body: image.bytes },
        read: (reply) => rescale(parseDetections(readResult(reply)), image, sample),
      };
    }
    if (!isTensor(sample))
      throw new TypeError(
        "call a Sedna server: expected a frame or one tensor; got named tensors, which need the protocol oip",
      );
    const body = new TextEncoder().encode(JSON.stringify({ data: [toNested(sample)] }));
    return {
      request: { url: endpoint, headers: { "content-type": "application/json" }, body },
      read(reply) {
        const [row] = readResult(reply);
        if (!Array.isArray(row) || !row.every(Number.isFinite))
          throw new WireError(
            "read a predict response: expected one list of numbers per sample; got something else",
          );
        return Float32Array.from(row as number[]);
      },
    };
  };
};

/**
 * The Open Inference Protocol, version 2, with the binary tensor extension in both directions. A frame is
 * sent as one BYTES element `image`; its response is the output `detections`, FP32 [n,6].
 */
export const oip: Protocol = ({ url, model, encode }) => {
  const endpoint = `${url}/v2/models/${encodeURIComponent(model)}/infer`;
  const ask = (inputs: Readonly<Record<string, OipTensor>>): HttpRequest => {
    const { body, headerLength } = formatInferRequest({ inputs });
    const headers: Record<string, string> = { "content-type": "application/octet-stream" };
    if (headerLength !== undefined) headers[INFERENCE_HEADER_LENGTH] = String(headerLength);
    return { url: endpoint, headers, body };
  };
  const outputs = ({ headers, body }: Reply): Readonly<Record<string, OipTensor>> => {
    const length = headers.get(INFERENCE_HEADER_LENGTH);
    return parseInferResponse(body, length === null ? undefined : Number(length)).outputs;
  };

  return async (sample) => {
    if (isFrame(sample)) {
      const image = await encode(sample);
      return {
        request: ask({ image: { dtype: "bytes", shape: [1], data: [image.bytes] } }),
        read(reply) {
          const found = outputs(reply)["detections"];
          if (found?.dtype !== "float32" || found.shape.length !== 2 || found.shape[1] !== 6)
            throw new WireError(
              "read detections: expected an output named detections, FP32 [n,6]; got something else",
            );
          const rows = Array.from({ length: found.shape[0]! }, (_, i) =>
            Array.from((found.data as Float32Array).subarray(6 * i, 6 * i + 6)),
          );
          return rescale(parseDetections(rows), image, sample);
        },
      };
    }
    if (!isTensor(sample)) return { request: ask(sample), read: outputs };
    return {
      request: ask({ input: { ...sample, shape: [1, ...sample.shape] } }),
      read(reply) {
        const [output] = Object.values(outputs(reply));
        if (output?.dtype !== "float32")
          throw new WireError("read an infer response: expected one FP32 output; got something else");
        return output.data;
      },
    };
  };
};

/** The protocols by name. */
export const protocols = { sedna, oip } as const;

function isTensor(sample: Tensor | Tensors): sample is Tensor {
  return "dtype" in sample && typeof sample.dtype === "string";
}

/** Scales boxes from the pixels of an encoded image to the pixels of its frame. */
function rescale(rows: readonly Detection[], image: EncodedImage, frame: Frame): Detections {
  const [x, y] = [frame.width / image.width, frame.height / image.height];
  return rows.map(
    ([x1, y1, x2, y2, score, label]) => [x1 * x, y1 * y, x2 * x, y2 * y, score, label] as const,
  );
}
