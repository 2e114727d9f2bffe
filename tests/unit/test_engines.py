"""Both engines really run and keep what they are told."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from scheduler.database import reading, transaction
from server.rules.dossier import DossierState
from server.store.tables import Dossier


def test_a_time_comes_back_aware(engine: sa.Engine, now: datetime) -> None:
    identity = uuid4()
    with transaction(engine) as session:
        session.add(
            Dossier(
                id=identity, state=DossierState.DRAFT, profile="p", purpose="NEW", created_at=now
            )
        )
    with reading(engine) as session:
        dossier = session.get_one(Dossier, identity)
        assert dossier.created_at == now
        assert dossier.created_at.tzinfo is UTC


def test_a_naive_time_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.StatementError, match="naive"), transaction(engine) as session:
        session.add(
            Dossier(
                id=uuid4(),
                state=DossierState.DRAFT,
                profile="p",
                purpose="NEW",
                created_at=datetime(2026, 1, 1),  # noqa: DTZ001 - the point
            )
        )


def test_a_state_outside_the_table_is_refused_by_the_database(
    engine: sa.Engine, now: datetime
) -> None:
    with pytest.raises(sa.exc.IntegrityError), transaction(engine) as session:
        session.execute(
            sa.text(
                "INSERT INTO dossier (id, state, profile, purpose, answers, created_at,"
                " birth_year_only, language)"
                " VALUES (:id, 'lost', 'p', 'NEW', '{}', :now, false, 'vi')"
            ),
            {"id": uuid4().hex, "now": now.isoformat()},
        )
