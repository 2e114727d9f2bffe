"""Makes fictitious people with numbers of the real structure, the same for the same seed.

Nobody of them lives: every address is in a commune called Giả Định ("assumed").
"""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from server import clock
from server.registry.port import Person, Relative
from server.rules.ages import age_on
from server.rules.lists import provinces, religions
from server.rules.numbers import prefixes

FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ")
MIDDLE = {
    "male": ("Văn", "Minh", "Quốc", "Đức", "Thanh", "Hữu"),
    "female": ("Thị", "Thanh", "Ngọc", "Thu", "Mỹ", "Hồng"),
}
GIVEN = {
    "male": (
        "An",
        "Bình",
        "Cường",
        "Dũng",
        "Hòa",
        "Khôi",
        "Long",
        "Nghĩa",
        "Phúc",
        "Quý",
        "Tuấn",
        "Vỹ",
    ),
    "female": (
        "Ánh",
        "Bích",
        "Chi",
        "Diễm",
        "Hà",
        "Khuê",
        "Lan",
        "Ngà",
        "Oanh",
        "Quỳnh",
        "Thúy",
        "Yến",
    ),
}
WORK = (
    "Nông dân",
    "Công nhân",
    "Giáo viên",
    "Kinh doanh tự do",
    "Lái xe",
    "Nội trợ",
    "Kỹ sư",
    None,
)
BLOOD = ("A", "B", "AB", "O", None, None)
ABROAD = "258"
"""No province's prefix: somebody whose birth was registered abroad."""
FIRST_SERIAL = 990_000
"""The six free digits begin with 99."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Somebody the cast always has, so that every branch of the law can be played."""

    name: str
    sex: str
    years: float
    ethnic: str = "01"
    prefix: str = "001"
    year_only: bool = False
    card: bool = True


CAST = (
    Part(name="Nguyễn Thị Minh Khuê", sex="female", years=33.4, prefix="079"),
    Part(name="Trần Quốc Dũng", sex="male", years=41.7, prefix="038"),
    Part(name="Lê Hoàng An", sex="male", years=14.1, card=False),
    Part(name="Phạm Ngọc Diễm", sex="female", years=8.6, card=False),
    Part(name="Đỗ Gia Hòa", sex="male", years=4.2, card=False),
    Part(name="Vũ Thị Thơm", sex="female", years=85.0, prefix="036", year_only=True),
    Part(name="H'Mai Niê", sex="female", years=27.3, ethnic="12", prefix="066"),
    Part(name="Y-Bhăm Êban", sex="male", years=52.9, ethnic="12", prefix="066"),
    Part(name="K'Brểu", sex="male", years=61.2, ethnic="16", prefix="068"),
    Part(name="Giàng A Páo", sex="male", years=19.5, ethnic="08", prefix="011"),
    Part(name="Sơn Thị Sa Rây", sex="female", years=45.8, ethnic="05", prefix="084"),
    Part(name="Bùi Thu Oanh", sex="female", years=25.02, prefix="025"),
    Part(name="Anna Ngọc Hà Schmidt", sex="female", years=23.6, prefix=ABROAD, card=False),
)


def _number(prefix: str, sex: str, born: date, serial: int) -> str:
    century = (born.year - 1900) // 100 * 2 + (sex == "female")
    return f"{prefix}{century}{born.year % 100:02d}{FIRST_SERIAL + serial:06d}"


def _person(part: Part, serial: int, today: date, dice: np.random.Generator) -> Person:
    born = today - timedelta(days=round(part.years * 365.25))
    if part.year_only:
        born = date(born.year, 1, 1)
    province = provinces()[int(dice.integers(len(provinces())))].name.vi
    registered = prefixes().get(part.prefix, "Cộng hòa Liên bang Đức")
    home = f"Số {int(dice.integers(1, 300))}, phố Ví Dụ, phường Giả Định, {province}"
    age = age_on(born, today)
    issued = today - timedelta(days=int(dice.integers(200, 1500))) if part.card else None
    return Person(
        personal_number=_number(part.prefix, part.sex, born, serial),
        full_name=part.name,
        birth_date=born,
        birth_year_only=part.year_only,
        sex=part.sex,
        old_number=f"{int(dice.integers(10**8, 10**9))}" if age > 30 and part.card else None,  # noqa: PLR2004 - CMND ended
        ethnic_group=part.ethnic,
        religion=religions()[int(dice.integers(4))],
        birth_place=f"Xã Giả Định, {registered}",
        birth_registered_at=f"Xã Giả Định, {registered}",
        home_town=f"Xã Giả Định, {registered}",
        permanent_residence=home,
        current_residence=home,
        occupation=WORK[int(dice.integers(len(WORK)))] if age >= 18 else None,  # noqa: PLR2004 - of age
        blood_group=BLOOD[int(dice.integers(len(BLOOD)))],
        card_issued_on=issued,
        card_valid_until=_valid_until(born, issued),
    )


def _valid_until(born: date, issued: date | None) -> date | None:
    """Return the birthday of the next milestone, or None from 60 on."""
    if issued is None:
        return None
    for years in (14, 25, 40, 60):
        milestone = born.replace(year=born.year + years, day=min(born.day, 28))
        if milestone > issued + timedelta(days=730):
            return milestone
    return None


def _random_part(dice: np.random.Generator) -> Part:
    sex = ("male", "female")[int(dice.integers(2))]

    def pick(names: tuple[str, ...]) -> str:
        return names[int(dice.integers(len(names)))]

    years = float(np.clip(dice.gamma(4.0, 9.0), 0.3, 99.0))
    return Part(
        name=f"{pick(FAMILY)} {pick(MIDDLE[sex])} {pick(GIVEN[sex])}",
        sex=sex,
        years=years,
        prefix=pick(tuple(prefixes())),
        card=years > 14,  # noqa: PLR2004 - the age from which a card is compulsory
    )


def people(count: int, seed: int, today: date) -> tuple[Person, ...]:
    """Return `count` people, the cast first, each child with a mother among the adults."""
    dice = np.random.default_rng(seed)
    parts = [*CAST, *(_random_part(dice) for _ in range(max(0, count - len(CAST))))][:count]
    found = [_person(part, serial, today, dice) for serial, part in enumerate(parts, start=1)]
    mothers = [p for p in found if p.sex == "female" and 20 <= age_on(p.birth_date, today) < 50]  # noqa: PLR2004 - plausible ages
    for place, person in enumerate(found):
        if age_on(person.birth_date, today) < 18 and mothers:  # noqa: PLR2004 - not of age
            mother = mothers[int(dice.integers(len(mothers)))]
            row = Relative(
                relation="mother", name=mother.full_name, personal_number=mother.personal_number
            )
            found[place] = replace(person, relatives=(row,))
    return tuple(found)


def write(folder: Path, found: Iterable[Person]) -> Path:
    """Write ``people.json`` into `folder` and make the folder for portraits."""
    (folder / "portraits").mkdir(parents=True, exist_ok=True)
    path = folder / "people.json"
    rows = [person.as_json() for person in found]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def read(folder: Path) -> tuple[Person, ...]:
    """Return the people written into `folder`."""
    rows = json.loads((folder / "people.json").read_text(encoding="utf-8"))
    return tuple(Person.from_json(row) for row in rows)


def main(arguments: list[str] | None = None) -> int:
    """Write fictitious people and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    today = clock.now().astimezone(clock.HERE).date()
    write(asked.out, people(asked.count, asked.seed, today))
    return 0


if __name__ == "__main__":
    sys.exit(main())
