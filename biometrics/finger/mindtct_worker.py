"""The process that runs NBIS mindtct (nbis-py), the second choice for minutiae.

It is started by path and imports nothing of this project; it speaks on its standard input,
which is a socket: a length, height, width and grey pixels at 500 dpi come in, a length and JSON
go out.
"""

import base64
import json
import math
import resource
import socket
import struct
import sys

import nbis

_LENGTH = struct.Struct(">I")
_SIZE = struct.Struct(">II")


def _read(link: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = link.recv(min(65536, count - len(data)))
        if not piece:
            sys.exit(0)
        data += piece
    return bytes(data)


def _answer(extractor: "nbis.NbisExtractor", request: bytes) -> dict[str, str]:
    height, width = _SIZE.unpack_from(request)
    picture = b"P5\n%d %d\n255\n" % (width, height) + request[_SIZE.size :]
    try:
        found = extractor.extract_minutiae(picture).get()
    except (nbis.NbisError, nbis.InternalError) as error:
        return {"refused": type(error).__name__}
    values = bytearray()
    for minutia in found:
        place = minutia.position()
        angle = math.remainder(math.radians(minutia.angle()), math.tau)
        ending = float(minutia.kind() is nbis.MinutiaKind.RIDGE_ENDING)
        values += struct.pack("<5f", place.x, place.y, angle, minutia.reliability(), ending)
    return {"minutiae": base64.b64encode(values).decode()}


def _serve() -> None:
    # A core file would hold the finger that brought the process down.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # NFIQ 2 refuses some pictures, and takes their minutiae with it.
    extractor = nbis.new_nbis_extractor(
        nbis.NbisExtractorSettings(
            min_quality=0.0,
            get_center=False,
            check_fingerprint=False,
            compute_nfiq2=False,
            ppi=500.0,
        )
    )
    with socket.socket(fileno=sys.stdin.fileno()) as link:
        while True:
            (count,) = _LENGTH.unpack(_read(link, _LENGTH.size))
            answer = json.dumps(_answer(extractor, _read(link, count))).encode()
            link.sendall(_LENGTH.pack(len(answer)) + answer)


if __name__ == "__main__":
    _serve()
