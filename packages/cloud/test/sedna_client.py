"""Posts what Sedna's ModelClient posts, with the library it uses; prints what it got as JSON."""
import json
import sys

import requests

url = sys.argv[1] + "/sedna"


def predict(body):
    response = requests.request("POST", url + "/predict", json=body)
    try:
        return [response.status_code, response.json()]
    except ValueError:
        return [response.status_code, response.text]


data = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]
print(json.dumps({
    "info": requests.get(url).json(),
    "predict": predict({"post_process": None, "data": data}),
    "not_a_list": predict({"data": "notalist"}),
    "missing": predict({}),
    "unknown_callback": predict({"data": data, "callback": "nms"}),
    "get": requests.get(url + "/predict").status_code,
}))
