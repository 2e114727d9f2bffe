"""What is charged on a given day, from dated rows; it takes no payment."""

from dataclasses import dataclass
from datetime import date

from server import law


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """The fee of one kind on one day."""

    kind: str
    """first, convert, exchange, reissue, free."""
    vnd: int | None
    """None: not announced for that day, "as charged at the time of filing"."""
    digital_citizen_vnd: int | None
    """For "công dân số"; None where no such row holds on the day."""
    valid_to: date | None
    source: str


def fee(kind: str, on: date) -> Fee:
    """Return the fee of `kind` on the day `on`.

    Raises:
        LookupError: no row holds: a gap in the table.
    """
    found: dict[str, tuple[int | None, date | None, str]] = {}
    for row in law.read("fees")["rows"]:
        last = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
        holds = date.fromisoformat(row["valid_from"]) <= on <= (last or on)
        if row["kind"] == kind and holds:
            found[row["for"]] = (row["vnd"], last, row["source"])
    if "everybody" not in found:
        raise LookupError(f"no fee for {kind} on {on}")
    vnd, valid_to, source = found["everybody"]
    reduced = found.get("digital_citizen", (None, None, ""))[0]
    return Fee(kind=kind, vnd=vnd, digital_citizen_vnd=reduced, valid_to=valid_to, source=source)


def kinds_of(case_fee: str, *, has_card: bool | None = None) -> tuple[str, ...]:
    """Return the kinds a case may be charged as; one where it is known whether a card exists."""
    if case_fee != "first_or_convert":
        return (case_fee,)
    if has_card is None:
        return ("first", "convert")
    return ("convert",) if has_card else ("first",)
