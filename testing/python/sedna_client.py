"""A client that behaves as Sedna's own does on the aggregation protocol V1, written anew on PyPI's `websockets`.

Sedna's AggregationClient and FederatedLearning.train, as their traffic shows them: connect (tried again, 3 s apart), subscribe,
take the first frame for the join; then train, send update_weight, and read frames until recv_weight comes, without training
again meanwhile; until exit_flag is "ok". Pings every 5 s; no reconnection.

It "trains" by arithmetic that a test can follow: every weight w becomes w * 0.5 + (its number + STEP) * 0.25, from weights of STEP.
Standard output has one line of JSON a round: what it received.

    python sedna_client.py ws://127.0.0.1:7363/FedAvg CLIENT_ID NUM_SAMPLES STEP SHAPES
"""

import asyncio
import json
import sys

import websockets

TRIES = 15
RETRY_SECONDS = 3
PING_SECONDS = 5
CONNECT_TIMEOUT = 300
MAX_SIZE = 16 * 1024 * 1024


def flatten(nested):
    return [nested] if not isinstance(nested, list) else [value for part in nested for value in flatten(part)]


def nest(values, shape):
    if not shape:
        return values[0]
    size = len(values) // shape[0] if shape[0] else 0
    return [nest(values[i * size:(i + 1) * size], shape[1:]) for i in range(shape[0])]


def count(shape):
    product = 1
    for axis in shape:
        product *= axis
    return product


class Model:
    def __init__(self, shapes, step):
        self.shapes = shapes
        self.step = step
        self.values = [float(step)] * sum(count(shape) for shape in shapes)

    def train(self):
        self.values = [value * 0.5 + (i + self.step) * 0.25 for i, value in enumerate(self.values)]

    def get_weights(self):
        start, layers = 0, []
        for shape in self.shapes:
            layers.append(nest(self.values[start:start + count(shape)], shape))
            start += count(shape)
        return layers

    def set_weights(self, layers):
        self.values = [value for layer in layers for value in flatten(layer)]


async def connect(url):
    for attempt in range(TRIES):
        try:
            return await websockets.connect(url, ping_interval=PING_SECONDS, ping_timeout=CONNECT_TIMEOUT, max_size=MAX_SIZE)
        except OSError:
            if attempt == TRIES - 1:
                raise
            await asyncio.sleep(RETRY_SECONDS)


async def run(url, client_id, num_samples, model):
    socket = await connect(url)
    async with socket:
        await socket.send(json.dumps({"type": "subscribe", "client_id": client_id}))
        await socket.recv()
        while True:
            model.train()
            await socket.send(json.dumps({"type": "update_weight", "client": client_id, "data": {"num_samples": num_samples, "weights": model.get_weights()}, "job_name": "sedna"}))
            while True:
                message = json.loads(await socket.recv())
                if message.get("type") == "recv_weight":
                    break
            data = message["data"]
            model.set_weights(data["weights"])
            print(json.dumps({"round": data["round_number"], "total": data["total_sample"], "flag": data["exit_flag"], "client": message["client"], "weights": model.values}), flush=True)
            if data["exit_flag"] == "ok":
                return


def main():
    url, client_id, num_samples, step, shapes = sys.argv[1:]
    asyncio.run(run(url, client_id, int(num_samples), Model(json.loads(shapes), int(step))))


if __name__ == "__main__":
    main()
