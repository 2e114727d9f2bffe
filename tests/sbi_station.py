"""An SBI service for tests that answers each verb with what it is given, good or bad."""

import socket
import threading
from collections.abc import Callable

from hardware.sbi.asked import ask_together
from hardware.sbi.chain import follow
from hardware.sbi.messages import (
    Captured,
    CaptureRequest,
    DeviceInfo,
    DigitalId,
    Discovered,
    Informed,
    MessageInvalid,
    encode_list,
)
from hardware.sbi.tokens import sign
from hardware.sbi.vocabulary import FINGER_NAMES
from tests.sbi_authority import CHAIN, captured, finger_record, identity, key

LEFT = ask_together((7, 8))
Body = bytes | Callable[[bytes], bytes]


def http(body: bytes, status: int = 200) -> bytes:
    return b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


def informed(who: DigitalId, **said: str) -> bytes:
    info = DeviceInfo(
        device_status="Ready",
        device_id="7",
        digital_id=sign(who.encode(), key(2), CHAIN),
        device_code=who.serial_no,
        env="Staging",
        purpose=said.get("purpose", "Registration"),
        spec_version=("0.9.5",),
    )
    return encode_list((Informed(device_info=sign(info.encode(), key(2), CHAIN)),))


def discovered(who: DigitalId) -> bytes:
    return encode_list((Discovered(device_id="7", digital_id=who.unsigned()),))


def answer(*pictures: Captured) -> bytes:
    listed = b",".join(picture.encode() for picture in pictures)
    return http(b'{"biometrics":[' + listed + b"]}")


def asked_of(request: bytes) -> CaptureRequest:
    return CaptureRequest.decode(request.partition(b"\r\n\r\n")[2])


def honest(request: bytes) -> bytes:
    """Answer whatever fingers of the left hand are not excepted, well signed."""
    message = asked_of(request)
    previous = message.bio[0].previous_hash
    pictures = []
    for position in (7, 8, 9, 10):
        name = FINGER_NAMES[position]
        if name in message.bio[0].exception:
            continue
        record = finger_record(position)
        said = {"bioSubType": name, "transactionId": message.transaction_id}
        pictures.append(captured(record, previous, said))
        previous = follow(previous, record)
    return answer(*pictures)


class Station:
    """A service of our own, good or bad: it answers each verb with what it is given."""

    def __init__(
        self, *, port: int = 0, who: DigitalId | None = None, capture: Body = honest, **said: str
    ) -> None:
        who = who or identity()
        self.answers: dict[bytes, Body] = {
            b"MOSIPDINFO": http(informed(who, **said)),
            b"MOSIPDISC": http(discovered(who)),
            b"RCAPTURE": capture,
        }
        self.asked: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            request = connection.recv(65536)
            self.asked.append(request)
            given = self.answers.get(request.partition(b" ")[0], b"")
            connection.sendall(given if isinstance(given, bytes) else given(request))
            connection.shutdown(socket.SHUT_WR)
        except (OSError, MessageInvalid):
            connection.close()

    def captures(self) -> list[CaptureRequest]:
        return [asked_of(request) for request in self.asked if request.startswith(b"RCAPTURE")]

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
        for connection in self._open:
            connection.close()
