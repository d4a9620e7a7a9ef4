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
import type { Exchange, Reply } from "../http/exchange.ts";
import { readJson } from "../http/read-json.ts";

/** A sample that a big model can be asked about: a picture, one tensor, or a model's inputs by name. */
export type BigModelSample = Frame | Tensor | Tensors;

/** What a big model answers to each kind of sample. */
export type BigModelResult<Sample> = Sample extends Frame
  ? Detections
  : Sample extends Tensor
    ? Float32Array
    : Tensors;

/** A sample as a request, and how to read the reply to it. */
export interface Question {
  readonly request: Exchange;
  /** @throws {WireError} when the reply is not what the protocol promises. */
  read(reply: Reply): unknown;
}

/** How to write a frame down, and where to send it. */
export interface ProtocolOptions {
  readonly url: string;
  readonly model: string;
  encode(frame: Frame): Promise<EncodedImage>;
}

/** Turns samples into questions. */
export type Protocol = (options: ProtocolOptions) => (sample: BigModelSample) => Promise<Question>;

/**
 * Sedna's REST: `POST /<model>/predict` with `{"data": [...]}`, answered by `{"result": [...]}`. Pictures go
 * encoded, as the body itself, which Sedna's own server does not know; ours does.
 */
export const sedna: Protocol = ({ url, model, encode }) => {
  const endpoint = `${url}/${encodeURIComponent(model)}/predict`;
  const readResult = ({ body }: Reply): readonly unknown[] =>
    parsePredictResponse(readJson(body, "read the big model's answer")).result;

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
        "ask a Sedna server: expected a frame or one tensor; got tensors by name, which need the protocol oip",
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
 * The Open Inference Protocol, version 2, with the binary tensor extension both ways. Pictures go as one
 * BYTES element `image`; the reply to one is `detections`, FP32 [n,6].
 */
export const oip: Protocol = ({ url, model, encode }) => {
  const endpoint = `${url}/v2/models/${encodeURIComponent(model)}/infer`;
  const ask = (inputs: Readonly<Record<string, OipTensor>>): Exchange => {
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
              "read detections: expected an output detections, FP32 [n,6]; got something else",
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

/** Boxes of an encoded picture as boxes of the frame that it was made from. */
function rescale(rows: readonly Detection[], image: EncodedImage, frame: Frame): Detections {
  const [x, y] = [frame.width / image.width, frame.height / image.height];
  return rows.map(
    ([x1, y1, x2, y2, score, label]) => [x1 * x, y1 * y, x2 * x, y2 * y, score, label] as const,
  );
}
