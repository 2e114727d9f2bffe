"""What an installation decides: read once from the environment, then passed on as a value."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

PREFIX = "THUNHAN_"


class SettingsMissing(Exception):
    """A setting is absent or wrong; the message names the environment variable."""


class Settings(BaseModel):
    """The server's settings.

    Each is read from ``THUNHAN_`` + its name in capitals, e.g. ``THUNHAN_DATABASE``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    database: str
    """SQLAlchemy address, ``sqlite:////var/lib/thunhan/thunhan.db`` or ``postgresql+psycopg://``."""
    data: Path
    """Folder of everything that is no row: packets, receipt key, public sealing keys."""
    secret_file: Path
    """32 or more random bytes: cookies, tickets and the keys of persons and of TOTP secrets derive
    from it."""
    registry_url: str = "http://127.0.0.1:8104"
    """The population registry."""
    unseal_socket: Path
    """Unix socket of the unsealing process."""
    face_model: Path | None = None
    """JSON file of another network to compare portraits with (docs/portrait-records.md); the one
    that comes with us where it is absent."""
    citizen_url: str = "http://127.0.0.1:8100"
    """As citizens reach us: on slips and in calendar files."""
    mail_server: str | None = None
    """``host:port`` of the mail server reminders go through; without one they lie as files in
    ``data``/outgoing, as text messages do, for whoever has a gateway."""
    mail_from: str = "thunhan@localhost"
    """The sender of e-mails."""
    mail_tls: bool = True
    """False only where the mail server is on this machine."""
    mail_user: str | None = None
    mail_password_file: Path | None = None
    hosts: str = "127.0.0.1,localhost"
    """Host names we answer to, separated by commas."""
    https: bool = False
    """True behind TLS: cookies become Secure and ``__Host-``."""
    rehearsal: bool = False
    """True where stand-in devices are let in; their captures are refused otherwise."""

    @property
    def secret(self) -> bytes:
        """Return the secret's bytes.

        Raises:
            SettingsMissing: the file is absent or holds fewer than 32 bytes.
        """
        try:
            secret = self.secret_file.read_bytes()
        except OSError as error:
            raise SettingsMissing(f"{PREFIX}SECRET_FILE: {error}") from error
        if len(secret) < 32:  # noqa: PLR2004 - 256 bits
            raise SettingsMissing(f"{PREFIX}SECRET_FILE: fewer than 32 bytes")
        return secret

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
