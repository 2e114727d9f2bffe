"""The process that runs NFIQ 2.3 (nbis-py), because that library can take its process down.

It is started by path and imports nothing of this project; it speaks on its standard input,
which is a socket: a length and a PGM come in, a length and JSON go out.
"""

import json
import resource
import socket
import struct
import sys

import nbis

_LENGTH = struct.Struct(">I")


def _read(link: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = link.recv(min(65536, count - len(data)))
        if not piece:
            sys.exit(0)
        data += piece
    return bytes(data)


def _answer(extractor: "nbis.NbisExtractor", image: bytes) -> dict[str, object]:
    try:
        found = extractor.extract_minutiae(image).quality()
    except (nbis.NbisError, nbis.InternalError) as error:
        return {"refused": type(error).__name__}
    return {
        "score": found.score,
        "actionable": {entry.name: entry.value for entry in found.actionable},
    }


def _serve() -> None:
    # A core file would hold the finger that brought the process down.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    extractor = nbis.new_nbis_extractor(
        nbis.NbisExtractorSettings(
            min_quality=0.0,
            get_center=False,
            check_fingerprint=False,
            compute_nfiq2=True,
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
