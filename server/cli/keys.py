"""Makes the server's receipt key and a pair of sealing keys, whose private half goes elsewhere.

Run it where the unsealing process runs: its folder is the only place private sealing keys are in.
"""

import argparse
import base64
import sys
from datetime import datetime, timedelta
from pathlib import Path

from biometrics.seal.errors import KeysInvalid
from biometrics.seal.keys import PrivateKeys
from kiosk.protocol import SealingKeys
from server import clock
from server.settings import Settings
from server.store import keys

SEALS_FOR = timedelta(days=90)
"""[D] How long kiosks seal to a pair; opening has no end while captures sealed to it are kept."""


def create(settings: Settings, *, unseal_folder: Path, kid: str, now: datetime) -> SealingKeys:
    """Make a pair called `kid`, publish its public half signed, and return that.

    Raises:
        FileExistsError: there are keys of this name.
        KeysInvalid: the name is not allowed.
        KeysMissing: the receipt key is there but unreadable.
    """
    settings.data.mkdir(mode=0o750, parents=True, exist_ok=True)
    if (keys.folder(settings.data) / keys.PRIVATE).exists():
        receipts = keys.ReceiptKey.load(settings.data)
    else:
        receipts = keys.ReceiptKey.create(settings.data)
    private = PrivateKeys.create(kid)
    unseal_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The private half first: a public one that nobody can open would cost captures.
    private.save(unseal_folder / kid)
    signed = receipts.sign_keys(
        SealingKeys(
            kid=kid,
            p256=base64.b64encode(private.public.p256).decode(),
            pq=base64.b64encode(private.public.pq).decode(),
            not_after=(now + SEALS_FOR).replace(microsecond=0),
            signature="",
        )
    )
    keys.publish(settings.data, signed)
    return signed


def _create(arguments: argparse.Namespace, settings: Settings) -> int:
    now = clock.now()
    kid = arguments.kid or f"ingest-{now:%Y-%m}"
    try:
        made = create(settings, unseal_folder=arguments.unseal_folder, kid=kid, now=now)
    except FileExistsError as error:
        sys.stderr.write(f"there are keys of this name already: {error}\n")
        return 1
    except (KeysInvalid, keys.KeysMissing) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(
        f"{made.kid}: kiosks seal to it until {made.not_after:%d/%m/%Y}\n"
        f"kiosks pin {keys.folder(settings.data) / keys.PUBLIC}\n"
    )
    return 0


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``keys-create``."""
    parser = commands.add_parser("keys-create", help="make receipt and sealing keys")
    parser.add_argument("--unseal-folder", type=Path, required=True)
    parser.add_argument("--kid", help="name of the pair; ingest-YYYY-MM if not given")
    parser.set_defaults(run=_create)
