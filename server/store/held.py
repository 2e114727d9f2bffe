"""Notices whether this thread holds a database transaction, for those who must not wait inside one.

It starts and ends none.
"""

import threading

import sqlalchemy as sa


class _Held(threading.local):
    connections: frozenset[int] = frozenset()


_held = _Held()


def _began(connection: sa.Connection) -> None:
    _held.connections |= {id(connection)}


def _ended(connection: sa.Connection) -> None:
    _held.connections -= {id(connection)}


sa.event.listen(sa.Engine, "begin", _began)
sa.event.listen(sa.Engine, "commit", _ended)
sa.event.listen(sa.Engine, "rollback", _ended)


def a_transaction_is_open() -> bool:
    """Return whether this thread is between a BEGIN and its end."""
    return bool(_held.connections)
