"""Which stations there are to choose from: by province, commune, words, nearness, free time.

It chooses none. Where somebody is, is asked only of who presses the button, to a kilometre.
"""

from dataclasses import dataclass

from flask import Response, request

from scheduler import places, search
from scheduler.database import reading
from scheduler.places import Place
from scheduler.search import Point, Station
from server.rules import lists
from server.web.citizen.desk import desk

LONGEST = 80
"""Characters of what is searched for."""
MOST = 50
"""[D] Stations one page shows: more than anybody reads."""
SORTS = ("name", "soonest")
PERMISSIONS = "camera=(), microphone=(), geolocation=(self), payment=(), usb=()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """Stations to choose from, and how they were searched for."""

    found: tuple[Station, ...]
    province: str
    ward: str
    query: str
    near: Point | None
    sort: str
    provinces: tuple[lists.Listed, ...]
    wards: tuple[str, ...]
    """The communes of the chosen province that have a station."""

    @property
    def more(self) -> bool:
        """Whether there may be more than are shown."""
        return len(self.found) == MOST


def asked() -> Stations:
    """Return the open stations the request asks for, each with its earliest free time."""
    here = desk()
    province = request.args.get("province", "")[:8].replace("\x00", "")
    ward = request.args.get("ward", "")[:LONGEST].replace("\x00", "")
    query = request.args.get("q", "")[:LONGEST].replace("\x00", "")
    sort = request.args.get("sort", "")
    near = _near()
    with reading(here.engine) as session:
        known = search.listed(session)
        wards = {place.ward for place in known if place.province == province and place.ward}
        found = search.stations(
            session,
            province=province or None,
            ward=ward if ward in wards else None,
            near=near,
            words=query,
            soonest=sort == "soonest",
            now=here.now(),
            limit=MOST,
        )
    present = {place.province for place in known}
    return Stations(
        found=found,
        province=province,
        ward=ward if ward in wards else "",
        query=query,
        near=near,
        sort=sort if sort in SORTS else SORTS[0],
        provinces=tuple(entry for entry in lists.provinces() if entry.code in present),
        wards=tuple(sorted(wards, key=lists.fold)),
    )


def may_ask_where(response: Response) -> Response:
    """Let the page ask the browser where somebody is; elsewhere browsers refuse it."""
    response.headers["Permissions-Policy"] = PERMISSIONS
    return response


def _near() -> Point | None:
    """Return where somebody says they are, or None where they do not or it is nowhere."""
    try:
        latitude = float(request.args.get("lat", "")[:12])
        longitude = float(request.args.get("lon", "")[:12])
    except ValueError:
        return None
    # Not a number is within no bounds.
    inside = -90 <= latitude <= 90 and -180 <= longitude <= 180  # noqa: PLR2004 - degrees
    return (latitude, longitude) if inside else None


def named(code: str) -> Place | None:
    """Return the open station of this code, or None."""
    if "\x00" in code:
        return None
    with reading(desk().engine) as session:
        try:
            place = places.find(session, code)
        except places.PlaceUnknown:
            return None
    return place if place.open else None


def by_code() -> dict[str, Place]:
    """Return every station by code, closed ones too: an appointment may still name one."""
    with reading(desk().engine) as session:
        return {place.code: place for place in places.places(session)}
