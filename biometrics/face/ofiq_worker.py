"""The process that runs OFIQ (python-ofiq), because foreign native code can take its process down.

It is started by path and imports nothing of this project; it speaks on its standard input, which
is a socket: height, width and RGB pixels come in, a length and JSON go out.
"""

import json
import math
import resource
import socket
import struct
import sys

import numpy as np
import ofiq

_SIZE = struct.Struct(">II")
_LENGTH = struct.Struct(">I")


def _read(link: socket.socket, count: int) -> bytearray:
    data = bytearray()
    while len(data) < count:
        piece = link.recv(min(1 << 20, count - len(data)))
        if not piece:
            sys.exit(0)
        data += piece
    return data


def _plain(value: object) -> float | None:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _answer(reference: "ofiq.OFIQ", pixels: "np.ndarray") -> dict[str, object]:
    try:
        found = reference.vector_quality(pixels, include_raw=True)
    except ofiq.QualityError as error:
        return {"refused": f"{type(error).__name__}: {error}"}
    except ofiq.OFIQError as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    components = {
        name: {"scalar": _plain(values.get("scalar")), "raw": _plain(values.get("raw"))}
        if isinstance(values, dict)
        else None
        for name, values in found.items()
    }
    return {"components": components}


def _serve(folder: str) -> None:
    # A core file would hold the face that brought the process down.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    failed = None
    try:
        reference = ofiq.OFIQ(folder)
    except ofiq.OFIQError as error:
        failed = {"failed": f"{type(error).__name__}: {error}"}
    with socket.socket(fileno=sys.stdin.fileno()) as link:
        while True:
            height, width = _SIZE.unpack(_read(link, _SIZE.size))
            pixels = np.frombuffer(_read(link, height * width * 3), np.uint8)
            answer = failed or _answer(reference, pixels.reshape(height, width, 3))
            data = json.dumps(answer).encode()
            link.sendall(_LENGTH.pack(len(data)) + data)


if __name__ == "__main__":
    _serve(sys.argv[1])
