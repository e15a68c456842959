"""What Python makes of documents: a question for each line of the input, as JSON, an answer for each of the output."""

import json
import math
import sys

import msgpack


def as_json(value):
    """The JSON value that a MessagePack value is for us; ValueError where it is none."""
    if isinstance(value, msgpack.ExtType) or isinstance(value, msgpack.Timestamp):
        raise ValueError('no JSON')
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError('no JSON')
    if isinstance(value, int) and not -2**63 <= value < 2**63:
        raise ValueError('no JSON')
    if isinstance(value, list):
        return [as_json(one) for one in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError('no JSON')
        return {key: as_json(one) for key, one in value.items()}
    return value


def answer(question):
    if 'pack' in question:
        return msgpack.packb(json.loads(question['pack'])).hex()
    if 'unpack' in question:
        try:
            return json.dumps(as_json(msgpack.unpackb(bytes.fromhex(question['unpack']))))
        except (ValueError, msgpack.UnpackException):
            return None
    try:
        json.loads(question['parse'])
    except ValueError as error:
        return str(error)
    return None


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
