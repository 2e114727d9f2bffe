"""The process that runs NBIS (nbis-py): NFIQ 2.3 or mindtct, which can take their process down.

It is started by path with the name of what it does, and imports nothing of this project; it
speaks on its standard input, which is a socket: a length and a PGM at 500 dpi come in, a length
and JSON go out.
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


def _read(link: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = link.recv(min(65536, count - len(data)))
        if not piece:
            sys.exit(0)
        data += piece
    return bytes(data)


def _quality(found: "nbis.Minutiae") -> dict[str, object]:
    quality = found.quality()
    return {
        "score": quality.score,
        "actionable": {entry.name: entry.value for entry in quality.actionable},
    }


def _minutiae(found: "nbis.Minutiae") -> dict[str, object]:
    values = bytearray()
    for minutia in found.get():
        place = minutia.position()
        angle = math.remainder(math.radians(minutia.angle()), math.tau)
        ending = float(minutia.kind() is nbis.MinutiaKind.RIDGE_ENDING)
        values += struct.pack("<5f", place.x, place.y, angle, minutia.reliability(), ending)
    return {"minutiae": base64.b64encode(values).decode()}


_ANSWERS = {"nfiq2": _quality, "mindtct": _minutiae}


def _serve(what: str) -> None:
    # A core file would hold the finger that brought the process down.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    extractor = nbis.new_nbis_extractor(
        nbis.NbisExtractorSettings(
            min_quality=0.0,
            get_center=False,
            check_fingerprint=False,
            # NFIQ 2 refuses some pictures, and would take their minutiae with it.
            compute_nfiq2=what == "nfiq2",
            ppi=500.0,
        )
    )
    with socket.socket(fileno=sys.stdin.fileno()) as link:
        while True:
            (count,) = _LENGTH.unpack(_read(link, _LENGTH.size))
            picture = _read(link, count)
            try:
                answer = _ANSWERS[what](extractor.extract_minutiae(picture))
            except (nbis.NbisError, nbis.InternalError) as error:
                answer = {"refused": type(error).__name__}
            octets = json.dumps(answer).encode()
            link.sendall(_LENGTH.pack(len(octets)) + octets)


if __name__ == "__main__":
    _serve(sys.argv[1])
