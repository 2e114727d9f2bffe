"""Who carries messages to citizens: a mail server, or a folder that a gateway's program empties.

It decides nothing and knows no database.
"""

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from server.cases.messages import Outgoing, Sender, Undelivered
from server.rules.messages import Channel
from server.settings import Settings, SettingsMissing

SECONDS = 10.0
"""A mail server that does not answer for so long is down."""
SMTP_PORT = 25


def as_mail(message: Outgoing, sender: str) -> EmailMessage:
    """Return the message as an e-mail; tried again, it has the same Message-ID."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = message.address
    mail["Subject"] = message.subject
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """One file a message in a folder a channel: whoever has a gateway takes them from there."""

    folder: Path
    sender: str

    def send(self, message: Outgoing) -> None:
        """Write the file whole or not at all; written again, it is the same file.

        Raises:
            Undelivered: it cannot be written.
        """
        if message.channel is Channel.EMAIL:
            name, body = f"{message.id}.eml", as_mail(message, self.sender).as_bytes()
        else:
            name, body = f"{message.id}.txt", f"To: {message.address}\n\n{message.text}\n".encode()
        folder = self.folder / message.channel.value
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            half = folder / f".{name}"
            half.write_bytes(body)
            half.replace(folder / name)
        except OSError as error:
            raise Undelivered(f"spool: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail server."""

    host: str
    port: int
    sender: str
    tls: bool
    user: str | None = None
    password: str = ""

    def send(self, message: Outgoing) -> None:
        """Hand one e-mail to the server.

        Raises:
            Undelivered: it does not take it now.
        """
        try:
            with smtplib.SMTP(self.host, self.port, timeout=SECONDS) as server:
                if self.tls:
                    server.starttls(context=ssl.create_default_context())
                if self.user is not None:
                    server.login(self.user, self.password)
                server.send_message(as_mail(message, self.sender))
        except (OSError, smtplib.SMTPException) as error:
            raise Undelivered(f"mail: {error}") from error


def of(settings: Settings) -> Mapping[Channel, Sender]:
    """Return who carries the messages of each channel.

    Raises:
        SettingsMissing: the mail server's port or password cannot be read.
    """
    spool = Spool(folder=settings.data / "outgoing", sender=settings.mail_from)
    carriers: dict[Channel, Sender] = dict.fromkeys(Channel, spool)
    if settings.mail_server is not None:
        carriers[Channel.EMAIL] = _mail(settings, settings.mail_server)
    return carriers


def _mail(settings: Settings, server: str) -> Mail:
    host, _, port = server.partition(":")
    try:
        password = ""
        if settings.mail_password_file is not None:
            password = settings.mail_password_file.read_text(encoding="utf-8").strip()
        return Mail(
            host=host,
            port=int(port or SMTP_PORT),
            sender=settings.mail_from,
            tls=settings.mail_tls,
            user=settings.mail_user,
            password=password,
        )
    except (OSError, ValueError) as error:
        raise SettingsMissing(f"mail server: {error}") from error
