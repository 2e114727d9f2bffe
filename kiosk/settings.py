"""What one kiosk decides: read once from the environment, then passed on as a value."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from hardware.codes import open as codes
from hardware.finger.commands import BAUDS
from hardware.printer import open as printer

PREFIX = "THUNHAN_KIOSK_"
_SBI = r"sbi(:[A-Za-z0-9._-]{1,64})?|sbi-simulated"
_BAUD = "|".join(map(str, BAUDS))
_DEVICE = r"device:([0-9]{1,9}|/dev/[!-~]+)"
_CAMERA = rf"^({_DEVICE}|sitter:[0-9]{{1,9}}|folder:.+|video:.+|{_SBI})$"
_LIBFPRINT = r"libfprint(:[!-~]{1,64})?|libfprint-simulated"
_READER = rf"^(simulated|serial:/[^,]+(,({_BAUD}))?|{_SBI}|{_LIBFPRINT})$"
_IRIS = rf"^(none|{_SBI})$"

_SCANNER_BAUD = "|".join(map(str, codes.BAUDS))
_CODE_READER = rf"^(none|hid:/[^,]+|serial:/[^,]+(,({_SCANNER_BAUD}))?)$"
_PRINTER_BAUD = "|".join(map(str, printer.BAUDS))
_PRINTER_WIRE = rf"simulated|(escpos|file):/[^,]+|serial:/[^,]+(,({_PRINTER_BAUD}))?"
_PRINTER = rf"^(none|({_PRINTER_WIRE})(,({'|'.join(printer.WIDTHS)})mm)?)$"


class SettingsMissing(Exception):
    """A setting is absent or wrong; the message names the environment variable."""


class Settings(BaseModel):
    """A kiosk's settings.

    Each is read from ``THUNHAN_KIOSK_`` + its name in capitals, e.g. ``THUNHAN_KIOSK_SERVER``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str
    """Address of the intake, ``https://intake.example.vn``."""
    data: Path
    """Folder of the device key, the server's receipt key, the outbox and the journal."""
    name: str = "kiosk"
    """As officers call this kiosk; stands on its screen."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8101
    """Of the touch page, on loopback only."""
    camera: Annotated[str, Field(pattern=_CAMERA)] = "device:0"
    """See `kiosk.readers`."""
    reader: Annotated[str, Field(pattern=_READER)] = "serial:/dev/ttyUSB0"
    """See `kiosk.readers`."""
    iris: Annotated[str, Field(pattern=_IRIS)] = "none"
    """See `kiosk.readers`; irises are asked for where the procedure wants them and it is set."""
    code_reader: Annotated[str, Field(pattern=_CODE_READER)] = "none"
    """Beside the camera, which reads QR codes anyway; see `hardware.codes.open`."""
    printer: Annotated[str, Field(pattern=_PRINTER)] = "none"
    """Of what citizens take home; see `hardware.printer.open`."""
    look_up: Annotated[str, Field(pattern=r"^(https?://[!-~]{1,200})?$")] = ""
    """Address of the citizens' page that shows where a dossier stands; on that paper."""
    references: Path | None = None
    """Folder of the fingers seen today, which the kiosks of a station may share; see
    `kiosk.references`. By default one in `data`."""
    idle_seconds: Annotated[float, Field(gt=0)] = 60
    """Without a touch, a face or a finger, until the kiosk asks whether anybody is there."""
    warning_seconds: Annotated[float, Field(gt=0)] = 20
    """For the answer to that question; WCAG 2.2 (2.2.1) wants at least 20."""
    help_seconds: Annotated[float, Field(gt=0)] = 600
    """Until a visit that waits for an officer is ended."""
    desk_seconds: Annotated[float, Field(gt=0)] = 120
    """Until a helping officer who does nothing is signed out."""
    wipe_seconds: Annotated[float, Field(gt=0)] = 20
    """How long the receipt stands on the screen."""
    speech: bool = True
    """Whether a visit begins with the sound on; a switch on the screen changes it for a visit."""
    liveness: bool = True
    """Whether two short movements are asked for after the portrait; they refuse nobody."""
    reference: bool = True
    """Whether OFIQ, where it is installed, puts its scores of a portrait beside ours."""
    least_free: Annotated[int, Field(ge=0)] = 512 * 1024 * 1024
    """Bytes that must be free on the data folder's disk before anybody is captured."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the settings in `environment`.

        Raises:
            SettingsMissing: a setting is absent or wrong.
        """
        found = {
            name: environment[PREFIX + name.upper()]
            for name in cls.model_fields
            if PREFIX + name.upper() in environment
        }
        try:
            return cls.model_validate(found)
        except ValueError as error:
            raise SettingsMissing(f"settings ({PREFIX}...): {error}") from error
