"""Asks an Open Inference Protocol server through PyPI's tritonclient; prints what it got as JSON."""
import json
import sys

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

client = http.InferenceServerClient(sys.argv[1].removeprefix("http://"))
data = np.array([[1, 2, 3, 4], [0.1, -2.5, 100000, 0]], dtype=np.float32)


def infer(values, binary):
    tensor = http.InferInput("x", values.shape, "FP32")
    tensor.set_data_from_numpy(values, binary_data=binary)
    output = http.InferRequestedOutput("y", binary_data=binary)
    return client.infer("sedna", [tensor], outputs=[output]).as_numpy("y")


by_json, by_binary = infer(data, False), infer(data, True)
try:
    infer(np.zeros((1, 3), dtype=np.float32), True)
    error = None
except InferenceServerException as raised:
    error = raised.status()

rounded = lambda values: [[round(float(one), 5) for one in row] for row in values]
print(json.dumps({
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "model_ready": client.is_model_ready("sedna"),
    "inputs": client.get_model_metadata("sedna")["inputs"],
    "json": rounded(by_json),
    "binary": rounded(by_binary),
    "equal": bool(np.array_equal(by_json, by_binary)),
    "error": error,
}))
