"""Which SBI services run on this machine, and which devices they say they have.

It believes nobody: signatures are only looked at in `verify`.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from hardware.errors import Broken, Garbled, Unplugged
from hardware.sbi.evidence import open_token
from hardware.sbi.messages import (
    DeviceInfo,
    DigitalId,
    Discovered,
    DiscoveryRequest,
    Informed,
    MessageInvalid,
    decode_discovered,
    decode_informed,
)
from hardware.sbi.raw import Line, Request
from hardware.sbi.tokens import Token, TokenInvalid
from hardware.sbi.vocabulary import ANY, PATHS, PORTS, Verb

PATIENCE: Final = 5.0
"""Seconds for one answer to discovery or info (what the interface's reference client allows)."""
INFORM: Final = Request(Verb.INFORM, PATHS[Verb.INFORM])


def ask_discovery(kind: str = ANY) -> Request:
    """Return the request for devices of a modality."""
    body = DiscoveryRequest(type=kind).encode()
    return Request(Verb.DISCOVER, PATHS[Verb.DISCOVER], body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device as its service describes it; nobody has vouched for it yet.

    Attributes:
        port: of its service.
        info, identity: what the two tokens below hold.
        token: over `info`.
        identity_token: over `identity`.
    """

    port: int
    info: DeviceInfo
    identity: DigitalId
    token: Token
    identity_token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service that answered.

    Attributes:
        devices: those that its info describes.
        discovered: those that its discovery names, unsigned.
        said: what was wrong with its answers, for people who look after it.
    """

    port: int
    devices: tuple[Device, ...] = ()
    discovered: tuple[Discovered, ...] = ()
    said: tuple[str, ...] = ()


def discover(
    *,
    deadline: float = PATIENCE,
    ports: Iterable[int] = PORTS,
    token: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Service, ...]:
    """Return the services of this machine, in the order of their ports; all are asked at once.

    Args:
        deadline: seconds for all of it; who has not answered by then is told so in `said`.
        ports: where to look.
        token: for services that want one.
        clock: monotonic seconds.
    """
    until = clock() + deadline
    wanted = tuple(ports)

    def look(port: int) -> Service | None:
        line = Line(port, token=token, clock=clock)
        try:
            return inspect(line, until=until, clock=clock)
        except Unplugged:
            return None

    # One thread a port at most: a service that is silent holds up no other.
    with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
        return tuple(found for found in pool.map(look, wanted) if found is not None)


def inspect(line: Line, *, until: float, clock: Callable[[], float] = time.monotonic) -> Service:
    """Return what the service at the end of a line says of itself.

    Raises:
        Unplugged: no service there.
    """
    said: list[str] = []
    devices: list[Device] = []
    try:
        for entry in read_informed(line.ask(INFORM, deadline=until - clock()).body):
            try:
                devices.append(read_device(entry, line.port))
            except Garbled as error:
                said.append(str(error))
    except Unplugged:
        raise
    except Broken as error:
        said.append(f"info: {error}")
    discovered: tuple[Discovered, ...] = ()
    try:
        answer = line.ask(ask_discovery(), deadline=until - clock())
        discovered = decode_discovered(answer.body)
    except (Broken, MessageInvalid) as error:
        said.append(f"discovery: {error}")
    return Service(port=line.port, devices=tuple(devices), discovered=discovered, said=tuple(said))


def read_informed(body: bytes) -> tuple[Informed, ...]:
    """Return the entries of an answer to an info.

    Raises:
        Garbled: it is no such answer.
    """
    try:
        return decode_informed(body)
    except MessageInvalid as error:
        raise Garbled(f"the answer to an info: {error}") from error


def read_device(entry: Informed, port: int) -> Device:
    """Return the device of one entry.

    Raises:
        Garbled: it has no device, or its tokens hold none.
    """
    if not entry.device_info:
        failure = entry.error
        raise Garbled(
            f"port {port}: no device ({failure.error_code} {failure.error_info})"
            if failure is not None
            else f"port {port}: an entry without a device"
        )
    try:
        token = open_token(entry.device_info)
        info = DeviceInfo.decode(token.payload)
        identity_token = open_token(info.digital_id)
        identity = DigitalId.decode(identity_token.payload)
    except (TokenInvalid, MessageInvalid) as error:
        raise Garbled(f"port {port}: a device that cannot be read: {error}") from error
    return Device(
        port=port,
        info=info,
        identity=identity,
        token=token,
        identity_token=identity_token,
    )
