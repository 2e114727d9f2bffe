"""The process that runs LEADER: its run time is native code that may fall; only this one falls.

It speaks on its standard input, which is a socket: a length and a PGM at 500 dpi come in, a length
and JSON go out.
"""

import base64
import json
import resource
import socket
import struct
import sys

import cv2
import numpy as np

from biometrics.finger.extractor import Extractor
from biometrics.sandbox.wire import receive

_LENGTH = struct.Struct(">I")


def _answer(extractor: Extractor, request: bytes) -> bytes:
    pixels = cv2.imdecode(np.frombuffer(request, np.uint8), cv2.IMREAD_GRAYSCALE)
    found = extractor.extract(np.asarray(pixels, np.uint8), 500)
    values = np.column_stack([found.points, np.asarray(found.endings)]).astype("<f4")
    return json.dumps({"minutiae": base64.b64encode(values.tobytes()).decode()}).encode()


def _serve() -> None:
    # A core file would hold the finger that brought the process down.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    extractor = Extractor()
    with socket.socket(fileno=sys.stdin.fileno()) as link:
        while True:
            try:
                (count,) = _LENGTH.unpack(receive(link, _LENGTH.size))
            except EOFError:
                return
            answer = _answer(extractor, receive(link, count))
            link.sendall(_LENGTH.pack(len(answer)) + answer)


if __name__ == "__main__":
    _serve()
