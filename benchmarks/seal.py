"""Measures sealing, checking and opening a capture of 6 MiB, keeping it, and altering it.

Run `python -m benchmarks.seal`. Two baselines over the same bytes: SHA-256 alone (nobody can be
faster and still look at every byte), and what a JWE in compact form does to a payload: one
AES-256-GCM call and base64. The disk is the one that holds temporary files.
"""

import argparse
import base64
import hashlib
import os
import platform
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from biometrics.capture import JPEG, PNG, Capture
from biometrics.seal.checking import check
from biometrics.seal.errors import PacketRefused
from biometrics.seal.layout import split
from biometrics.seal.opening import open_packet
from kiosk.device import Device
from kiosk.outbox import Outbox
from tests.captures import AT, Bench, bench, capture, resigned

MIB = 1024 * 1024


def large(size: int) -> Capture:
    """Return a capture of about `size` bytes: half of it portrait, half of it ten prints."""
    share = size // 20
    prints = tuple(
        replace(capture().prints[0], position=position, image=PNG + secrets.token_bytes(share))
        for position in range(1, 11)
    )
    portrait = replace(capture().portrait, image=JPEG + secrets.token_bytes(size // 2))
    return capture(portrait=portrait, prints=prints, missing=())


def timed(name: str, rounds: int, work: Callable[[], object]) -> None:
    """Print the least, the median and the 95th percentile of `rounds` runs, in ms."""
    work()
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - start))
    least, median, late = np.percentile(took, [0, 50, 95])
    print(f"  {name:<44} {least:8.2f} {median:8.2f} {late:8.2f}")


def jwe_like(content: bytes) -> bytes:
    """Return what a compact JWE holds of a payload, without its header."""
    sealed = AESGCM(secrets.token_bytes(32)).encrypt(bytes(12), content, None)
    return base64.urlsafe_b64encode(sealed)


def speed(desk: Bench, size: int, rounds: int) -> None:
    """Print how long each step takes and what it adds."""
    whole = large(size)
    content = whole.encode()
    sealed = desk.sealed(content)
    key = desk.device.public_key()
    print(f"a capture of {len(content) / MIB:.1f} MiB, {rounds} rounds: least, median and p95, ms")
    timed("seal", rounds, lambda: desk.sealed(content))
    timed("check (signature over all bytes, no key)", rounds, lambda: check(sealed.packet, key))
    timed("open and decode", rounds, lambda: open_packet(sealed.packet, desk.keys, expect={}))
    timed("encode", rounds, whole.encode)
    timed("decode", rounds, lambda: Capture.decode(content))
    timed("baseline: SHA-256", rounds, lambda: hashlib.sha256(content).digest())
    timed("baseline: AES-256-GCM and base64, as a JWE", rounds, lambda: jwe_like(content))
    for name, added in (
        ("CCAP1", len(sealed.packet) - len(content)),
        ("baseline: JWE", len(jwe_like(content)) - len(content)),
    ):
        print(f"  {name + ' adds':<44} {added:8d} bytes, {100 * added / len(content):.3f} %")


def kept(desk: Bench, size: int, rounds: int) -> None:
    """Print how long it takes until a capture survives a power cut."""
    whole = large(size)
    with tempfile.TemporaryDirectory() as folder:
        device = Device.create(Path(folder))
        with Outbox(Path(folder) / "outbox", device) as outbox:
            timed(
                "outbox.put: sealed, synced, recorded",
                rounds,
                lambda: outbox.put(
                    whole,
                    keys=desk.keys.public,
                    station="S01",
                    captured_at=AT,
                    mono=1.0,
                    boot_id="",
                    software="0.1.0",
                    operator=None,
                ),
            )


def altered(packet: bytes, rng: np.random.Generator) -> bytes:
    """Return `packet` with a bit flipped, a stretch moved, cut or doubled, or the end cut off."""
    a, b = sorted(int(at) for at in rng.integers(0, len(packet), 2))
    flipped = bytearray(packet)
    flipped[a] ^= 1 << int(rng.integers(8))
    ways = (
        bytes(flipped),
        packet[:a] + packet[b:] + packet[a:b],
        packet[:a] + packet[b:],
        packet[:b] + packet[a:b] + packet[b:],
        packet[:a],
    )
    return ways[int(rng.integers(len(ways)))]


def alterations(desk: Bench, count: int) -> None:
    """Print how many of `count` altered packets pass the check, and how many open."""
    sealed = desk.sealed(capture(size=100_000).encode())
    key = desk.device.public_key()
    length = len(split(sealed.packet).signature)
    rng = np.random.default_rng(20261124)
    passed = opened = different = 0
    for _ in range(count):
        packet = altered(sealed.packet, rng)
        if packet == sealed.packet:
            continue
        different += 1
        passed += _taken(partial(check, packet, key))
        # The one who altered it holds the device's key and signs anew.
        again = resigned(packet, desk, signature_length=length)
        if again[: len(sealed.packet) - 2 - length] != sealed.packet[: -2 - length]:
            opened += _taken(partial(open_packet, again, desk.keys, expect={}))
    print(f"{different} altered packets: {passed} passed the check, {opened} opened")


def _taken(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except PacketRefused:
        return False
    return True


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--alterations", type=int, default=20_000)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    desk = bench()
    size = int(asked.mib * MIB)
    speed(desk, size, asked.rounds)
    kept(desk, size, asked.rounds)
    alterations(desk, asked.alterations)


if __name__ == "__main__":
    main()
