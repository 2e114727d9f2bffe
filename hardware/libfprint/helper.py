"""Drives libfprint for another process: run by the system's Python, which alone has its binding.

It imports nothing of this project and judges nothing; `wire` says how it is spoken to, and both
ends of that are here and in `reader`. Ends when its standard input does.
"""

import json
import os
import struct
import sys
from functools import partial
from typing import Any

import gi

gi.require_version("FPrint", "2.0")
from gi.repository import FPrint, Gio, GLib  # noqa: E402 - only after the version was asked for

_HEAD = struct.Struct(">II")
"""Bytes of JSON, bytes of picture."""
_MILLI = 1000
_RETRIES = {
    int(FPrint.DeviceRetry.TOO_SHORT): "too_small",
    int(FPrint.DeviceRetry.CENTER_FINGER): "too_small",
}
_MM_PER_INCH = 25.4


def _said(error: GLib.Error) -> dict[str, Any]:
    """Return what went wrong: mended by a person, the device gone, or anything else."""
    if error.matches(FPrint.device_retry_quark(), error.code):
        return {"no": _RETRIES.get(error.code, "too_messy")}
    gone = error.matches(FPrint.device_error_quark(), FPrint.DeviceError.REMOVED)
    return {"broken": "unplugged" if gone else "refused", "text": error.message, "code": error.code}


class Helper:
    """One device, asked by lines of JSON on standard input."""

    def __init__(self, wanted: str) -> None:
        self._out = os.dup(1)
        # Whatever a driver prints must not come between our answers.
        os.dup2(2, 1)
        self._loop = GLib.MainLoop()
        self._read = b""
        self._cancel: Any = None
        context = FPrint.Context()
        context.enumerate()
        devices = [one for one in context.get_devices() if wanted in {"", one.get_device_id()}]
        self._context = context
        self._device: Any = devices[0] if devices else None

    def run(self) -> None:
        """Open the device, say which, and answer until the input ends."""
        if self._device is None:
            self._answer({"broken": "unplugged", "text": "libfprint sees no reader", "code": 0})
            return
        try:
            self._device.open_sync()
        except GLib.Error as error:
            self._answer(_said(error))
            return
        self._answer(
            {
                "name": self._device.get_name(),
                "driver": self._device.get_driver(),
                "id": self._device.get_device_id(),
                "captures": bool(self._device.get_features() & FPrint.DeviceFeature.CAPTURE),
            }
        )
        GLib.io_add_watch(0, GLib.IOCondition.IN | GLib.IOCondition.HUP, self._heard)
        self._loop.run()

    def _heard(self, *_: object) -> bool:
        octets = os.read(0, 4096)
        if not octets:
            self._loop.quit()
            return False
        self._read += octets
        while b"\n" in self._read:
            line, self._read = self._read.split(b"\n", 1)
            asked = json.loads(line)
            if asked["do"] == "capture":
                self._capture(float(asked["seconds"]))
            elif asked["do"] == "lifted":
                on = self._device.get_finger_status() & FPrint.FingerStatusFlags.PRESENT
                self._answer({"lifted": not on})
        return True

    def _capture(self, seconds: float) -> None:
        self._cancel = Gio.Cancellable()
        over = GLib.timeout_add(max(1, int(seconds * _MILLI)), self._cancel.cancel)
        wait_for_finger = True
        self._device.capture(wait_for_finger, self._cancel, partial(self._done, over))
        self._answer({"waiting": True})

    def _done(self, over: int, device: Any, done: Any) -> None:  # noqa: ANN401 - GObject's own
        if not self._cancel.is_cancelled():
            GLib.source_remove(over)
        try:
            image = device.capture_finish(done)
        except GLib.Error as error:
            cancelled = error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED)
            self._answer({"no": "no_finger"} if cancelled else _said(error))
            return
        facts = {
            "width": image.get_width(),
            "height": image.get_height(),
            # Most drivers leave it open: 0.
            "dpi": round(image.get_ppmm() * _MM_PER_INCH),
        }
        self._answer(facts, bytes(image.get_data()))

    def _answer(self, facts: dict[str, Any], picture: bytes = b"") -> None:
        text = json.dumps(facts).encode()
        left = memoryview(_HEAD.pack(len(text), len(picture)) + text + picture)
        while left:
            left = left[os.write(self._out, left) :]


def _fell(*_: object) -> None:
    # GObject would print what a callback raises and go on: nobody would ever be answered.
    os._exit(1)


if __name__ == "__main__":
    sys.excepthook = _fell
    Helper(sys.argv[1] if len(sys.argv) > 1 else "").run()
