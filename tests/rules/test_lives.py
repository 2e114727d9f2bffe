"""The lives: every state has a row and can be reached, every event is used, no more is allowed."""

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import kiosk.life
import scheduler.life
import scheduler.queue_life
import scheduler.tables_waiting
import scheduler.wish_life
import server.rules.dossier
import server.rules.messages

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One table and who may write what it says."""

    table: Mapping[Any, Mapping[Any, Any]]
    states: Collection[Any]
    events: Collection[Any]
    after: Callable[[Any, Any], Any]
    refusal: type[Exception]
    begins: Any
    writer: str


LIVES = {
    "dossier": Life(
        table=server.rules.dossier.LIFE,
        states=tuple(server.rules.dossier.DossierState),
        events=tuple(server.rules.dossier.DossierEvent),
        after=server.rules.dossier.after,
        refusal=server.rules.dossier.NotNow,
        begins=server.rules.dossier.DossierState.DRAFT,
        writer="server/store/journal.py",
    ),
    "appointment": Life(
        table=scheduler.life.LIFE,
        states=tuple(scheduler.life.AppointmentState),
        events=tuple(scheduler.life.AppointmentEvent),
        after=scheduler.life.after,
        refusal=scheduler.life.NotNow,
        begins=scheduler.life.AppointmentState.HELD,
        writer="scheduler/happening.py",
    ),
    "waiting room": Life(
        table=scheduler.queue_life.LIFE,
        states=tuple(scheduler.queue_life.QueueState),
        events=tuple(scheduler.queue_life.QueueEvent),
        after=scheduler.queue_life.after,
        refusal=scheduler.queue_life.NotNow,
        begins=scheduler.queue_life.QueueState.WAITING,
        writer="scheduler/queue.py",
    ),
    "wish": Life(
        table=scheduler.wish_life.LIFE,
        states=tuple(scheduler.tables_waiting.WishState),
        events=tuple(scheduler.wish_life.WishEvent),
        after=scheduler.wish_life.after,
        refusal=scheduler.wish_life.NotNow,
        begins=scheduler.tables_waiting.WishState.WAITING,
        writer="scheduler/wishes.py",
    ),
    "draw": Life(
        table=scheduler.wish_life.DRAW_LIFE,
        states=tuple(scheduler.tables_waiting.DrawState),
        events=tuple(scheduler.wish_life.DrawEvent),
        after=scheduler.wish_life.after_draw,
        refusal=scheduler.wish_life.NotNow,
        begins=scheduler.tables_waiting.DrawState.ANNOUNCED,
        writer="scheduler/draws.py",
    ),
    "message": Life(
        table=server.rules.messages.LIFE,
        states=tuple(server.rules.messages.MessageState),
        events=tuple(server.rules.messages.MessageEvent),
        after=server.rules.messages.after,
        refusal=server.rules.messages.NotNow,
        begins=server.rules.messages.MessageState.QUEUED,
        writer="server/cases/messages.py",
    ),
    "visit": Life(
        table=kiosk.life.LIFE,
        states=tuple(kiosk.life.VisitState),
        events=tuple(kiosk.life.VisitEvent),
        after=kiosk.life.after,
        refusal=kiosk.life.NotNow,
        begins=kiosk.life.VisitState.WAITING,
        writer="kiosk/visit.py",
    ),
}
ALSO_WRITES_A_STATE = {"biometrics/finger/board.py"}
"""Where a finger of one visit stands: no life of a person's business, private to its file."""


@pytest.fixture(params=sorted(LIVES))
def life(request: pytest.FixtureRequest) -> Life:
    return LIVES[request.param]


def test_every_state_has_a_row_and_every_event_is_used(life: Life) -> None:
    assert set(life.table) == set(life.states)
    assert {event for row in life.table.values() for event in row} == set(life.events)


def test_every_state_can_be_reached(life: Life) -> None:
    reached, waiting = set(), [life.begins]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += life.table[state].values()
    assert reached == set(life.states)


def test_what_the_table_holds_follows_and_all_else_is_refused(life: Life) -> None:
    for state in life.states:
        for event in life.events:
            if event in life.table[state]:
                assert life.after(state, event) is life.table[state][event]
            else:
                with pytest.raises(life.refusal):
                    life.after(state, event)


def _assigns_state(path: Path) -> bool:
    def names(target: ast.AST) -> bool:
        return any(isinstance(n, ast.Attribute) and n.attr == "state" for n in ast.walk(target))

    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = (n for n in ast.walk(tree) if isinstance(n, ast.Assign))
    single = (n for n in ast.walk(tree) if isinstance(n, ast.AnnAssign | ast.AugAssign))
    return any(names(t) for n in plain for t in n.targets) or any(names(n.target) for n in single)


def test_one_file_a_life_assigns_its_state() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in ("kiosk", "biometrics", "scheduler", "server", "hardware")
        for path in (ROOT / package).rglob("*.py")
        if _assigns_state(path)
    }
    assert found == {life.writer for life in LIVES.values()} | ALSO_WRITES_A_STATE
