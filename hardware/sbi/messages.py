"""What an SBI client and a device service say to each other: requests, answers, what tokens hold.

Wire models only, frozen and with every length bounded; numbers are texts, as the published schemas
want them. Vendors take that less strictly: bare numbers and null are read too, and fields that are
not known passed over. Signatures, records and hashes
are looked at elsewhere.
"""

import base64
import binascii
import datetime as dt
import re
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from hardware.sbi.vocabulary import ANY, ROLLED, ErrorCode, SubId

MOST_ITEMS: Final = 64
"""Entries of a list, at most; ten fingers are the most that anybody asks for at once."""
_DATE: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})"
)


def _as_text(value: object) -> object:
    if value is None:
        return ""
    return str(value) if type(value) in {int, float} else value


def _as_list(value: object) -> object:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else value


_LOOSE: Final = BeforeValidator(_as_text)
Short = Annotated[str, Field(max_length=128), _LOOSE]
Line = Annotated[str, Field(max_length=1024), _LOOSE]
Number = Annotated[str, Field(pattern=r"^[0-9]{1,9}$"), _LOOSE]
"""A whole number as text."""
Score = Annotated[str, Field(max_length=16), _LOOSE]
Few = Annotated[tuple[Short, ...], Field(max_length=MOST_ITEMS), BeforeValidator(_as_list)]
Inner = Annotated[str, Field(max_length=128 * 1024), _LOOSE]
"""A token without a picture in it."""
Text = Annotated[str, Field(max_length=48 * 1024 * 1024), _LOOSE]
"""A token, or a record in base64; see `tokens.MOST_BYTES`."""


class MessageInvalid(ValueError):
    """A text is not the message that stands there; what was wrong is in the message."""


class Wire(BaseModel):
    """A frozen message whose fields are in camelCase on the wire."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", strict=True, alias_generator=to_camel, populate_by_name=True
    )

    def encode(self) -> bytes:
        """Return the JSON; what is None is left out, for readers who know no such field."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the message in JSON bytes.

        Raises:
            MessageInvalid: no JSON, or another message.
        """
        return _checked(TypeAdapter(cls), data)


_T = TypeVar("_T")


def _checked(kind: TypeAdapter[_T], data: bytes) -> _T:
    try:
        return kind.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "message"
        raise MessageInvalid(f"{where}: {first['msg']}") from error


class Failure(Wire):
    """The `error` that stands in each answer; code "0" is success.

    The specification's text spells both fields in lower case, its schemas and devices do not.
    """

    error_code: Annotated[
        str,
        Field(
            max_length=16,
            validation_alias=AliasChoices("errorCode", "errorcode"),
            serialization_alias="errorCode",
        ),
        _LOOSE,
    ]
    error_info: Annotated[
        Line,
        Field(
            validation_alias=AliasChoices("errorInfo", "errorinfo"),
            serialization_alias="errorInfo",
        ),
    ] = ""

    @property
    def code(self) -> int | None:
        """Return the code, None where it is no number."""
        text = self.error_code
        return int(text) if text.isascii() and text.isdigit() else None

    @classmethod
    def of(cls, code: ErrorCode, info: str = "") -> Self:
        """Return the failure of this code."""
        return cls(error_code=str(int(code)), error_info=info or code.info)


SUCCESS: Final = Failure.of(ErrorCode.SUCCESS)


class Denied(Wire):
    """The answer where there is nothing but an error."""

    error: Failure


class DiscoveryRequest(Wire):
    """Which devices are looked for: a modality or `ANY`."""

    type: Short = ANY


class DigitalId(Wire):
    """Which device it is; in a discovery unsigned, elsewhere a token of its own."""

    serial_no: Short
    make: Short = ""
    model: Short = ""
    type: Short
    device_sub_type: Short = ""
    device_provider: Short = ""
    device_provider_id: Short = ""
    date_time: Short = ""

    def unsigned(self) -> str:
        """Return it as a discovery has it: JSON in base64url."""
        return base64.urlsafe_b64encode(self.encode()).decode("ascii").rstrip("=")

    @classmethod
    def from_unsigned(cls, text: str) -> Self:
        """Return what a discovery says; nobody vouches for it.

        Raises:
            MessageInvalid: no base64url of such a message.
        """
        return cls.decode(decode_base64url(text))

    @property
    def name(self) -> str:
        """Return what people call the device."""
        return f"{self.make} {self.model}".strip()


class Discovered(Wire):
    """One device of a discovery; `digital_id` is not signed.

    Where no device is found the answer is one entry with nothing but its error.
    """

    device_id: Short = ""
    device_status: Short = ""
    certification: Short = ""
    service_version: Short = ""
    device_sub_id: Few = ()
    callback_id: Line = ""
    digital_id: Inner = ""
    device_code: Short = ""
    spec_version: Few = ()
    purpose: Short = ""
    error: Failure | None = None


class Informed(Wire):
    """One device of an info: a token over a `DeviceInfo`."""

    device_info: Annotated[str, Field(max_length=256 * 1024), _LOOSE] = ""
    error: Failure | None = None


class DeviceInfo(Wire):
    """What a device says of itself, signed; `digital_id` is a token over a `DigitalId`.

    `impression_types` is our own: `ROLLED_TYPE` stands there where fingers can be rolled.
    """

    device_status: Short
    device_id: Short
    firmware: Short = ""
    certification: Short = ""
    service_version: Short = ""
    device_sub_id: Few = ()
    callback_id: Line = ""
    digital_id: Inner
    device_code: Short = ""
    env: Short = ""
    purpose: Short = ""
    spec_version: Few = ()
    impression_types: Few = ()


class Bio(Wire):
    """What is wanted of one device.

    Attributes:
        count: fingers or eyes wanted, without those of `exception`.
        bio_sub_type: which ones; empty: those that `device_sub_id` means.
        exception: which ones are not there; of a face: the proof photo is wanted.
        requested_score: 0..100; the device takes the picture itself once it reaches that.
        previous_hash: of the device's last record, empty for the first.
    """

    type: Short
    count: Number
    bio_sub_type: Few = ()
    exception: Few = ()
    requested_score: Annotated[str, Field(pattern=r"^([0-9]{1,3})?$"), _LOOSE] = "0"
    device_id: Short
    device_sub_id: Short = SubId.UNKNOWN.value
    previous_hash: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{64})?$"), _LOOSE] = ""


class CaptureRequest(Wire):
    """RCAPTURE: pictures for a registration; `timeout` in ms, `custom_opts` may be `ROLLED`."""

    env: Short
    purpose: Short
    spec_version: Short
    timeout: Number
    capture_time: Short
    transaction_id: Short
    bio: Annotated[tuple[Bio, ...], Field(min_length=1, max_length=MOST_ITEMS)]
    custom_opts: Any = None

    @property
    def rolled(self) -> bool:
        """Return whether fingers are to be rolled, not pressed flat."""
        return bool(self.custom_opts == list(ROLLED))


class Captured(Wire):
    """One picture: a token over a `Biometric`, and the hash that ties it to the one before."""

    spec_version: Short = ""
    data: Text = ""
    hash: Short = ""
    error: Failure | None = None


class CaptureAnswer(Wire):
    """All pictures of one request."""

    biometrics: Annotated[tuple[Captured, ...], Field(max_length=MOST_ITEMS)] = ()
    error: Failure | None = None


class Biometric(Wire):
    """What a device signs of one picture.

    Attributes:
        digital_id: token over a `DigitalId`.
        bio_value: ISO record in base64url.
        timestamp: when it was taken, by the device's clock.
        quality_score: 0..100 as the device claims, empty where it cannot say.
    """

    digital_id: Inner
    device_code: Short = ""
    device_service_version: Short = ""
    bio_type: Short
    bio_sub_type: Short = ""
    purpose: Short
    env: Short
    bio_value: Text
    transaction_id: Short
    timestamp: Short
    requested_score: Score = ""
    quality_score: Score = ""

    @property
    def record(self) -> bytes:
        """Return the ISO record's bytes.

        Raises:
            MessageInvalid: no base64url.
        """
        return decode_base64url(self.bio_value)


class StreamRequest(Wire):
    """STREAM: live pictures for `timeout` ms."""

    device_id: Short
    device_sub_id: Short = SubId.UNKNOWN.value
    timeout: Annotated[str, Field(pattern=r"^([0-9]{1,9})?$"), _LOOSE] = ""


_DISCOVERED: Final = TypeAdapter(tuple[Discovered, ...])
_INFORMED: Final = TypeAdapter(tuple[Informed, ...])


def decode_discovered(data: bytes) -> tuple[Discovered, ...]:
    """Return the devices of an answer to a discovery.

    Raises:
        MessageInvalid: no JSON, or another message.
    """
    return _few(_checked(_DISCOVERED, _listed(data)))


def decode_informed(data: bytes) -> tuple[Informed, ...]:
    """Return the devices of an answer to an info.

    Raises:
        MessageInvalid: no JSON, or another message.
    """
    return _few(_checked(_INFORMED, _listed(data)))


def encode_list(messages: tuple[Wire, ...]) -> bytes:
    """Return a JSON list of messages."""
    return b"[" + b",".join(one.encode() for one in messages) + b"]"


def encode_date(moment: dt.datetime) -> str:
    """Return a moment as the specification writes it: UTC, whole seconds.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone")
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def decode_date(text: str) -> dt.datetime:
    """Return the moment, in UTC.

    Raises:
        MessageInvalid: not ISO 8601 with date, time and offset.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        raise MessageInvalid("no date and time with an offset")
    day, clock, offset = found.groups()
    try:
        return dt.datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise MessageInvalid(f"no such moment: {error}") from error


def encode_base64url(data: bytes) -> str:
    """Return base64url without the signs that fill it up."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def decode_base64url(text: str) -> bytes:
    """Return the bytes of base64url, filled up or not; base64's own two signs are read as well.

    Raises:
        MessageInvalid: it is none.
    """
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MessageInvalid("no base64url") from error


def _listed(data: bytes) -> bytes:
    """Return the list; a service that has nothing but an error may send that alone."""
    return b"[" + data + b"]" if data.lstrip().startswith(b"{") else data


def _few(found: tuple[_T, ...]) -> tuple[_T, ...]:
    if len(found) > MOST_ITEMS:
        raise MessageInvalid(f"more than {MOST_ITEMS} devices")
    return found
