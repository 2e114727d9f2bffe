"""The unsealing process: one grant, one opening; what is damaged, absent or down is said."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from biometrics.face import descriptor
from biometrics.face.compare import Comparer
from biometrics.seal.keys import PrivateKeys
from biometrics.seal.sealing import Sealed
from kiosk.protocol import Visit
from scheduler.database import Base, connect, transaction
from server import clock
from server.registry import people
from server.registry.client import RegistryClient
from server.registry.port import Kept, Registry, RegistryDown
from server.registry.simulator import create_app as registry_app
from server.store import audit
from server.store.held import a_transaction_is_open
from server.store.tables import Audit, CaptureRow, Grant, Review
from server.store.vault import Vault
from server.unseal.__main__ import SocketTaken, create_app, listen, main
from server.unseal.answer import AnswerGarbled, Opened
from server.unseal.client import GrantRefused, PacketBad, Unsealer, UnsealerDown
from server.unseal.opening import Unsealing
from tests.faces import frame, jpeg
from tests.web.intake_stage import JPEG, KID, Kiosk, Stage, stage

GRANTED_FOR = timedelta(minutes=2)
ANYTHING = JPEG + b"no picture at all"


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path, now: datetime) -> Stage:
    return with_an_officer(stage(engine, tmp_path, now))


@pytest.fixture
def small(tmp_path: Path, now: datetime) -> Iterator[Stage]:
    """An installation on SQLite alone, where what is tested stops before the database."""
    made = on_sqlite(tmp_path, now)
    yield made
    made.engine.dispose()


def on_sqlite(folder: Path, now: datetime) -> Stage:
    engine = connect(f"sqlite:///{folder}/small.db")
    Base.metadata.create_all(engine)
    return with_an_officer(stage(engine, folder, now))


def with_an_officer(made: Stage) -> Stage:
    made.officer("CB1")
    made.officer("CB7")
    return made


def captured(house: Stage, image: bytes = ANYTHING) -> tuple[Kiosk, Visit, Sealed]:
    kiosk = house.kiosk()
    visit = kiosk.arrive(house.booked(at=house.clock() + timedelta(minutes=30)))
    sealed = house.sealed(kiosk, visit, image=image, operator="CB7")
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200
    return kiosk, visit, sealed


def grant(house: Stage, digest: str) -> UUID:
    made = uuid4()
    with transaction(house.engine) as session:
        session.add(
            Grant(
                id=made,
                digest=digest,
                officer_id="CB1",
                granted_at=house.clock(),
                expires_at=house.clock() + GRANTED_FOR,
            )
        )
    return made


class Down:
    """A registry whose day is bad."""

    def find(self, personal_number: str) -> None:
        raise RegistryDown(personal_number)

    def portrait(self, personal_number: str) -> bytes | None:
        raise RegistryDown(personal_number)


@cache
def comparer() -> Comparer:
    return Comparer(descriptor.shipped())


def unsealing(house: Stage, registry: Registry | None = None) -> Unsealing:
    return Unsealing(
        engine=house.engine,
        vault=Vault(house.settings.data),
        keys=house.unseal_keys,
        registry=registry or Kept(people={}),
        comparer=comparer(),
        clock=house.clock,
    )


def actions(house: Stage) -> list[tuple[str, str]]:
    with transaction(house.engine) as session:
        assert audit.broken_at(session) is None
        rows = session.execute(sa.select(Audit.actor, Audit.action).order_by(Audit.seq))
        return [(row.actor, row.action) for row in rows if row.action.startswith("capture.")]


def test_a_grant_opens_its_capture_and_leaves_an_entry(house: Stage) -> None:
    _, visit, sealed = captured(house)
    opened = unsealing(house).open(grant(house, sealed.digest))
    assert opened.capture.dossier == visit.dossier
    assert opened.capture.portrait.image == ANYTHING
    assert [found.position for found in opened.capture.prints] == [1]
    assert actions(house) == [("officer:CB1", "capture.opened")]


def test_a_grant_opens_once(house: Stage) -> None:
    _, _, sealed = captured(house)
    once = grant(house, sealed.digest)
    unsealing(house).open(once)
    with pytest.raises(GrantRefused):
        unsealing(house).open(once)
    assert actions(house) == [("officer:CB1", "capture.opened")]


def test_one_grant_asked_for_from_everywhere_at_once_opens_once(house: Stage) -> None:
    _, _, sealed = captured(house)
    once, process = grant(house, sealed.digest), unsealing(house)
    together, outcomes = threading.Barrier(6), []

    def ask() -> None:
        together.wait()
        try:
            process.open(once)
            outcomes.append("opened")
        except GrantRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["opened"] + ["refused"] * 5
    assert actions(house) == [("officer:CB1", "capture.opened")]


def test_an_expired_grant_opens_nothing(house: Stage) -> None:
    _, _, sealed = captured(house)
    late = grant(house, sealed.digest)
    house.clock.now += GRANTED_FOR
    with pytest.raises(GrantRefused):
        unsealing(house).open(late)
    assert actions(house) == []


def test_an_unknown_grant_opens_nothing(house: Stage) -> None:
    with pytest.raises(GrantRefused):
        unsealing(house).open(uuid4())
    assert actions(house) == []


def _flip(house: Stage, sealed: Sealed) -> None:
    path = Vault(house.settings.data).path(sealed.digest)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(house: Stage, sealed: Sealed) -> None:
    path = Vault(house.settings.data).path(sealed.digest)
    path.write_bytes(path.read_bytes()[:-1])


def _take_away(house: Stage, sealed: Sealed) -> None:
    Vault(house.settings.data).path(sealed.digest).unlink()


def _swap(house: Stage, sealed: Sealed) -> None:
    """Put another good packet of the same device in its place."""
    _, _, other = _second(house)
    vault = Vault(house.settings.data)
    vault.path(sealed.digest).write_bytes(vault.read(other.digest))


def _second(house: Stage) -> tuple[Kiosk, Visit, Sealed]:
    kiosk = house.kiosk()
    visit = kiosk.arrive(house.booked(at=house.clock() + timedelta(minutes=30)))
    sealed = house.sealed(kiosk, visit, sequence=2)
    assert kiosk.upload(sealed.digest, sealed.packet).status_code == 200
    return kiosk, visit, sealed


def _lose_the_key(house: Stage, sealed: Sealed) -> None:
    (house.unseal_keys / KID / "private-keys.json").unlink()


def _another_key(house: Stage, sealed: Sealed) -> None:
    (house.unseal_keys / KID / "private-keys.json").unlink()
    PrivateKeys.create(KID).save(house.unseal_keys / KID)


def _another_context(house: Stage, sealed: Sealed) -> None:
    with transaction(house.engine) as session:
        session.execute(sa.update(CaptureRow).values(station="S02"))


@pytest.mark.parametrize(
    "harm", [_flip, _cut, _take_away, _swap, _lose_the_key, _another_key, _another_context]
)
def test_what_cannot_be_opened_is_said_and_written_down(
    small: Stage, harm: Callable[[Stage, Sealed], None]
) -> None:
    _, _, sealed = captured(small)
    harm(small, sealed)
    with pytest.raises(PacketBad):
        unsealing(small).open(grant(small, sealed.digest))
    assert actions(small) == [("officer:CB1", "capture.opened"), ("unseal", "capture.damaged")]
    with transaction(small.engine) as session:
        assert session.get(Review, sealed.digest) is None


def test_without_a_reference_nothing_is_assessed(house: Stage) -> None:
    _, _, sealed = captured(house)
    opened = unsealing(house).open(grant(house, sealed.digest))
    assert (opened.reference, opened.distance) == (None, None)
    assert (opened.outcome, opened.reason) == ("not_assessed", "no_reference")
    with transaction(house.engine) as session:
        row = session.get_one(Review, sealed.digest)
        assert (row.distance, row.outcome, row.at) == (None, "not_assessed", house.clock())
        assert row.summary["reason"] == "no_reference"
        assert row.summary["prints"][0]["nfiq2"] == 62
        assert "image" not in row.summary["prints"][0]
        assert "image" not in row.summary["portrait"]
        assert row.summary["helpers"] == []


def test_a_registry_that_is_down_hides_no_capture(small: Stage) -> None:
    _, _, sealed = captured(small)
    opened = unsealing(small, Down()).open(grant(small, sealed.digest))
    assert (opened.outcome, opened.reason) == ("not_assessed", "registry_down")
    assert opened.capture.portrait.image == ANYTHING


def test_the_registry_is_asked_outside_any_transaction(small: Stage) -> None:
    _, visit, sealed = captured(small)
    asked: list[tuple[str, bool]] = []

    class Watching(Down):
        def portrait(self, personal_number: str) -> bytes | None:
            asked.append((personal_number, a_transaction_is_open()))
            return None

    unsealing(small, Watching()).open(grant(small, sealed.digest))
    assert asked == [(small.dossier(visit.dossier).personal_number, False)]


def test_opening_again_keeps_the_last_figures(house: Stage) -> None:
    _, _, sealed = captured(house)
    unsealing(house, Down()).open(grant(house, sealed.digest))
    unsealing(house).open(grant(house, sealed.digest))
    with transaction(house.engine) as session:
        rows = session.scalars(sa.select(Review)).all()
        assert [row.summary["reason"] for row in rows] == ["no_reference"]


def _of(house: Stage, visit: Visit, portrait: bytes) -> Kept:
    number = house.dossier(visit.dossier).personal_number
    assert number is not None
    return Kept(people={}, portraits={number: portrait})


def test_the_new_portrait_is_compared_with_the_registrys(small: Stage) -> None:
    _, visit, sealed = captured(small, jpeg(frame(3, number=3)))
    same = _of(small, visit, jpeg(frame(3, number=9), quality=85))
    opened = unsealing(small, same).open(grant(small, sealed.digest))
    assert opened.outcome == "match"
    assert opened.distance is not None
    with transaction(small.engine) as session:
        row = session.get_one(Review, sealed.digest)
        kept = (row.distance, row.model, row.model_sha256, row.match_at_most, row.no_match_above)
    model = descriptor.shipped()
    assert kept == (opened.distance, model.name, model.sha256, 0.45, 0.55)
    assert (opened.model_sha256, opened.match_at_most) == (model.sha256, 0.45)
    other = _of(small, visit, jpeg(frame(11)))
    strange = unsealing(small, other).open(grant(small, sealed.digest))
    assert strange.distance is not None
    assert strange.distance > opened.distance
    faceless = _of(small, visit, ANYTHING)
    blind = unsealing(small, faceless).open(grant(small, sealed.digest))
    assert (blind.outcome, blind.distance, blind.reason) == ("not_assessed", None, "no_face")


@contextmanager
def listening(path: Path, process: Unsealing) -> Iterator[Unsealer]:
    server = listen(path, create_app(process.open))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Unsealer(path)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_socket_carries_the_capture_and_every_refusal(small: Stage) -> None:
    _, _, sealed = captured(small)
    process, path = unsealing(small), small.settings.unseal_socket
    with listening(path, process) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        once = grant(small, sealed.digest)
        opened = client.open(once)
        assert opened.capture.visit == sealed.header.visit
        assert opened.reason == "no_reference"
        with pytest.raises(GrantRefused):
            client.open(once)
        _cut(small, sealed)
        with pytest.raises(PacketBad):
            client.open(grant(small, sealed.digest))
        raw = httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://unseal")
        with raw:
            text = b"\x70" + b"a" * 16
            for body in (b"", b"\xff", b"null", b"\x41a", text, os.urandom(40)):
                assert raw.post("/open", content=body).status_code == 400
            assert raw.post("/open", content=bytes(100)).status_code == 413
            assert raw.get("/open").status_code == 405
            assert raw.get("/").status_code == 404


def test_a_process_that_is_not_there_is_down(tmp_path: Path) -> None:
    with pytest.raises(UnsealerDown):
        Unsealer(tmp_path / "nobody.sock").open(uuid4())


def test_an_answer_that_is_none_is_not_believed() -> None:
    for data in (b"", b"\xa0", b"\xff" * 9, b"\xa1gcaptureb{}", b"\x80"):
        with pytest.raises(AnswerGarbled):
            Opened.decode(data)


def test_only_a_socket_nobody_listens_on_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("somebody's")
    with pytest.raises(SocketTaken):
        listen(tmp_path / "file", create_app(_never))
    first = listen(tmp_path / "s", create_app(_never))
    with pytest.raises(SocketTaken):
        listen(tmp_path / "s", create_app(_never))
    first.server_close()
    second = listen(tmp_path / "s", create_app(_never))  # left behind by the first
    second.server_close()


def _never(grant: UUID) -> Opened:
    raise GrantRefused


def test_the_whole_process_opens_what_the_intake_stored(tmp_path: Path, now: datetime) -> None:
    """`python -m server.unseal` as it is started, by its settings alone; the registry is away."""
    house = on_sqlite(tmp_path, now)
    _, visit, sealed = captured(house)
    house.clock.now = clock.now()
    environment = {
        **os.environ,
        "THUNHAN_DATABASE": house.settings.database,
        "THUNHAN_DATA": str(house.settings.data),
        "THUNHAN_SECRET_FILE": str(house.settings.secret_file),
        "THUNHAN_UNSEAL_SOCKET": str(house.settings.unseal_socket),
        "THUNHAN_REGISTRY_URL": "http://127.0.0.1:9",
    }
    command = (sys.executable, "-m", "server.unseal", "--keys", str(house.unseal_keys))
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        try:
            client = Unsealer(house.settings.unseal_socket)
            opened = _patiently(client, grant(house, sealed.digest))
            assert opened.capture.dossier == visit.dossier
            assert opened.reason == "registry_down"
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert not house.settings.unseal_socket.exists()
    house.engine.dispose()


def test_the_process_does_not_start_with_a_network_that_is_not_what_its_file_says(
    tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = on_sqlite(tmp_path, now)
    named = tmp_path / "model.json"
    for name in ("database", "data", "secret_file", "unseal_socket"):
        monkeypatch.setenv(f"THUNHAN_{name.upper()}", str(getattr(house.settings, name)))
    monkeypatch.setenv("THUNHAN_FACE_MODEL", str(named))
    keys = ["--keys", str(house.unseal_keys)]
    with pytest.raises(descriptor.DescriptorMissing):
        main(keys)
    named.write_text("{}")
    with pytest.raises(descriptor.DescriptorRefused):
        main(keys)
    assert not house.settings.unseal_socket.exists()
    house.engine.dispose()


def _patiently(client: Unsealer, once: UUID) -> Opened:
    for _ in range(200):
        try:
            return client.open(once)
        except UnsealerDown:
            time.sleep(0.1)
    raise AssertionError("it never listened")


def test_the_process_works_with_the_registry_over_http(small: Stage, tmp_path: Path) -> None:
    _, visit, sealed = captured(small)
    number = small.dossier(visit.dossier).personal_number
    assert number is not None
    folder = tmp_path / "registry"
    people.write(folder, [replace(small.person(), personal_number=number)])
    (folder / "portraits").mkdir(exist_ok=True)
    (folder / "portraits" / f"{number}.jpg").write_bytes(ANYTHING)
    client = RegistryClient(
        "http://registry", transport=httpx.WSGITransport(app=registry_app(folder))
    )
    with client:
        opened = unsealing(small, client).open(grant(small, sealed.digest))
    assert opened.reference == ANYTHING
    assert opened.reason == "no_face"


NO_KEYS = """
import sys
import server.web.intake.app, server.web.citizen.app, server.web.officer.app
import server.cases.intake, server.unseal.client
wrong = {"biometrics.seal.opening", "server.unseal.opening"} & set(sys.modules)
sys.exit(f"the web tier loads {wrong}" if wrong else 0)
"""


def test_the_web_tier_loads_nothing_that_opens_a_capture() -> None:
    done = subprocess.run(
        (sys.executable, "-c", NO_KEYS), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_web_tier_has_no_private_sealing_key(small: Stage) -> None:
    assert {name for name in type(small.settings).model_fields if "key" in name} == set()
    private = small.keys
    secrets_of = {
        line
        for line in (small.unseal_keys / KID / "private-keys.json").read_text().split("\\n")
        if len(line) == 64
    }
    assert len(secrets_of) >= 3
    for path in small.settings.data.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="latin-1")
            assert not any(secret in text for secret in secrets_of), path
    assert private.kid == KID
