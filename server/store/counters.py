"""Counting up in the database, so that however many workers there are, no number comes twice.

It knows no table and limits nothing.
"""

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from scheduler.database import Base, insert_missing


def count_up(session: Session, counted: InstrumentedAttribute[int], **key: Any) -> int:  # noqa: ANN401 - column values
    """Add one to a column of the row of this primary key and return what it is now.

    The row is made where it is missing; the first answer is 1. The row stays locked until the
    caller's transaction is over.
    """
    table = cast("type[Base]", counted.class_)
    add_one = (
        sa.update(table)
        .filter_by(**key)
        .values({counted: counted + 1})
        .returning(counted)
        .execution_options(synchronize_session=False)
    )
    number = session.scalar(add_one)
    if number is None:
        insert_missing(session, table, [{**key, counted.key: 0}])
        number = session.scalars(add_one).one()
    return number
