"""The words of SBI: verbs, kinds of devices, names of fingers and eyes, error codes.

Nothing but tables; how they are put into messages stands in `messages`.
"""

import enum
from typing import Final, Self

from hardware.iris.port import Eye

SPEC_VERSION: Final = "0.9.5"
"""Of our requests and answers."""


class Verb(enum.StrEnum):
    """HTTP verbs of SBI's own."""

    DISCOVER = "MOSIPDISC"
    INFORM = "MOSIPDINFO"
    CAPTURE = "RCAPTURE"
    STREAM = "STREAM"
    AUTHENTICATE = "CAPTURE"
    """Encrypted, for level L1; registration devices have none."""


PATHS: Final = {
    Verb.DISCOVER: "/device",
    Verb.INFORM: "/info",
    Verb.CAPTURE: "/capture",
    Verb.STREAM: "/stream",
    Verb.AUTHENTICATE: "/capture",
}
PORTS: Final = range(4501, 4601)
"""On 127.0.0.1; a service takes the first that is free."""


class Modality(enum.StrEnum):
    """What a device takes."""

    FINGER = "Finger"
    FACE = "Face"
    IRIS = "Iris"


ANY: Final = "Biometric Device"
"""Of a discovery: devices of whatever modality."""


class Status(enum.StrEnum):
    """What a device can do now."""

    READY = "Ready"
    BUSY = "Busy"
    NOT_READY = "Not Ready"
    NOT_REGISTERED = "Not Registered"


class Purpose(enum.StrEnum):
    """What a picture is taken for."""

    REGISTRATION = "Registration"
    AUTHENTICATION = "Auth"


class Environment(enum.StrEnum):
    """Where a service works."""

    STAGING = "Staging"
    DEVELOPER = "Developer"
    PRE_PRODUCTION = "Pre-Production"
    PRODUCTION = "Production"
    NONE = "None"


class SubId(enum.StrEnum):
    """Part of a device: `deviceSubId`."""

    UNKNOWN = "0"
    """Also a face camera, and a reader that takes one finger at a time."""
    LEFT = "1"
    RIGHT = "2"
    BOTH = "3"
    """Both thumbs, both irises."""


FINGERS: Final = {
    "Right Thumb": 1,
    "Right IndexFinger": 2,
    "Right MiddleFinger": 3,
    "Right RingFinger": 4,
    "Right LittleFinger": 5,
    "Left Thumb": 6,
    "Left IndexFinger": 7,
    "Left MiddleFinger": 8,
    "Left RingFinger": 9,
    "Left LittleFinger": 10,
}
"""`bioSubType` of fingers: ISO/IEC 19794 positions."""
FINGER_NAMES: Final = {position: name for name, position in FINGERS.items()}
EYES: Final = {"Right": Eye.RIGHT, "Left": Eye.LEFT}
EYE_NAMES: Final = {eye: name for name, eye in EYES.items()}
UNKNOWN: Final = "UNKNOWN"
"""`bioSubType` where it is not said which finger or eye."""


PLAIN_TYPE: Final = "Plain"
ROLLED_TYPE: Final = "Rolled"
ROLLED: Final = ({"name": "impressionType", "value": ROLLED_TYPE},)
"""`customOpts` of a capture that wants one finger rolled: our own, the specification has no word
for it. It is asked only of devices that say they know it (`DeviceInfo.impression_types`)."""


class ErrorCode(enum.IntEnum):
    """Codes of the specification, and those of its mock device that say more (113 up)."""

    info: str

    def __new__(cls, code: int, info: str) -> Self:
        """Keep the words beside the code."""
        made = int.__new__(cls, code)
        made._value_ = code
        made.info = info
        return made

    SUCCESS = 0, "Success"
    NOT_REGISTERED = 100, "Device not registered"
    NO_OBJECT = 101, "Unable to detect a biometric object"
    EXTRACTION = 102, "Technical error during extraction"
    TAMPERED = 103, "Device tamper detected"
    MANAGEMENT = 104, "Unable to connect to management server"
    ORIENTATION = 105, "Image orientation error"
    NOT_FOUND = 106, "Device not found"
    KEY_EXPIRED = 107, "Device public key expired"
    DOMAIN_KEY = 108, "Domain public key missing"
    COUNT = 109, "Requested number of biometric (Finger/IRIS) not supported"
    NOT_READY = 110, "Device is not ready"
    BUSY = 111, "Device is busy"
    TRANSACTION = 112, "Invalid transaction id"
    COUNT_MISMATCH = 113, "Count does not match sub types and exceptions"
    TYPE = 114, "Unsupported biometric type"
    ENVIRONMENT = 115, "Unsupported environment"
    EXCEPTION = 117, "Unsupported exception"
    SUB_TYPE = 119, "Unsupported sub type"
    DEVICE = 120, "Device id and type do not match"
    PURPOSE = 121, "Unsupported purpose"
    MALFORMED = 123, "Malformed request"
    NO_DEVICE = 202, "No device connected"
    REFUSED = 500, "Request refused"
    STREAM_ENDED = 609, "Stream timed out"
    CAPTURE_TIMEOUT = 701, "Capture timed out"
