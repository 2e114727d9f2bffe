"""Where every item of a visit stands: the one place that moves an item from state to state.

It judges no impression and hears no officer; see `taking` and `visit` for who does.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from biometrics.capture import ImpressionKind, Missing
from biometrics.finger import limits
from biometrics.finger.decisions import NotWanted, PlanInvalid
from biometrics.finger.doubts import Scene
from biometrics.finger.likeness import Likeness
from biometrics.finger.offers import Impression, Item, ItemState, Looked
from biometrics.finger.plan import Step, Touch
from biometrics.finger.selection import Attempts
from biometrics.finger.sequence import Controls, Sequence

_MOST_TRIES: Final = 10
_BEST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the procedure's data say.

    Attributes:
        tries: impressions of one item before an officer is asked.
        accept_at: NFIQ 2 from which an impression is taken at once.
        keep_from: NFIQ 2 from which the best is kept when no try is left.

    Raises:
        PlanInvalid: a number out of its range.
    """

    tries: int
    accept_at: int
    keep_from: int

    def __post_init__(self) -> None:
        """Refuse what nobody can follow."""
        if not 1 <= self.tries <= _MOST_TRIES:
            raise PlanInvalid(f"{self.tries} tries")
        if not 0 <= self.keep_from <= self.accept_at <= _BEST:
            raise PlanInvalid(f"keep from {self.keep_from}, accept at {self.accept_at}")


class Finger:
    """One item of the plan.

    Attributes:
        held: what only an officer could keep: too faint to be told from others, an officer's
            finger, or a roll that is unlike the flat one.
        tries: impressions since it was opened.
        looked_at: impressions at all, control presses included.
        mistaken_for: the item that the last impression was taken for instead.
        seen_today: other dossiers that have this finger.
        redos: how often the citizen began it anew.
        restarted: it was opened again once because fingers were mixed up.
        trusted: an officer kept it.
    """

    def __init__(self, attempts: Attempts) -> None:
        self.state = ItemState.OPEN
        self.attempts = attempts
        self.held: list[Looked] = []
        self.tries = 0
        self.looked_at = 0
        self.mistaken_for: Item | None = None
        self.seen_today: set[str] = set()
        self.missing: Missing | None = None
        self.redos = 0
        self.restarted = False
        self.trusted = False

    @property
    def worth(self) -> float:
        """Return the quality of what would be taken now; -1 where nothing could be."""
        best = self.attempts.best
        return -1.0 if best is None or self.attempts.disputed else best.worth


class Board:
    """Every item with what was shown for it, and the control presses.

    Raises:
        PlanInvalid: see `Sequence`.
    """

    def __init__(
        self,
        *,
        steps: Iterable[Step],
        takes: Collection[Touch],
        rules: Rules,
        controls: Controls,
    ) -> None:
        self.rules: Final = rules
        self.sequence: Final = Sequence(steps, takes)
        self.controls: Final = controls
        self.likeness: Final = Likeness()
        self.shown: tuple[Impression, ...] = ()
        """All that is compared with; replaced, never changed, because another thread reads it."""
        self._digests: set[bytes] = set()
        self._vouched: set[str] = set()
        self._suspects: set[Item] = set()
        self._fingers = {item: self._fresh() for item in self.sequence.items}
        self.settle()

    def finger(self, item: Item) -> Finger:
        """Return what there is of an item.

        Raises:
            NotWanted: it is not in the plan.
        """
        if item not in self._fingers:
            raise NotWanted(f"{item} is not in the plan")
        return self._fingers[item]

    def items_at(self, position: int) -> tuple[Item, ...]:
        """Return the items of a finger.

        Raises:
            NotWanted: it is not in the plan.
        """
        items = tuple(item for item in self._fingers if item.position == position)
        if not items:
            raise NotWanted(f"position {position} is not in the plan")
        return items

    def standing(self, state: ItemState) -> tuple[Item, ...]:
        """Return the items in a state, in the plan's order."""
        return tuple(item for item, finger in self._fingers.items() if finger.state is state)

    def taken(self) -> dict[Item, Impression]:
        """Return what would go on record now, in the plan's order."""
        found = (
            (item, self._fingers[item].attempts.best) for item in self.standing(ItemState.TAKEN)
        )
        return {item: best for item, best in found if best is not None}

    @property
    def wanted(self) -> Step | None:
        """Return the touch to ask for now: of a step, the positions that are still open."""
        step = self.sequence.wanted(self.standing(ItemState.OPEN))
        if step is not None:
            return step
        item = self.controls.wanted
        if item is None or self.standing(ItemState.UNDECIDED) or self.control_failed:
            return None
        return self.sequence.alone(item)

    @property
    def waiting(self) -> tuple[Item, ...]:
        """Return the items an officer must decide."""
        undecided = self.standing(ItemState.UNDECIDED)
        item = self.controls.wanted
        return (item,) if not undecided and item is not None and self.control_failed else undecided

    @property
    def control_failed(self) -> bool:
        """True where the control press that is asked for has no try left."""
        return self.controls.tries >= self.rules.tries

    def vouched(self, who: str) -> bool:
        """Return True where an officer has spoken for somebody."""
        return who in self._vouched

    def scene(self, touch: Mapping[Item, Looked]) -> Scene:
        """Return what a touch is to be seen against."""
        return Scene(
            touch=touch,
            before={item: finger.attempts.candidates for item, finger in self._fingers.items()},
            digests=self._digests,
            vouched=self._vouched,
            likeness=self.likeness,
        )

    def remember(self, touch: Iterable[Looked]) -> None:
        """Keep in mind that these pictures came, so that none of them counts twice."""
        self._digests |= {
            looked.impression.digest for looked in touch if looked.impression.seen.quality.finger
        }

    # Every change of a state

    def weigh(self, item: Item, *, accept: bool) -> None:
        """Have an item be taken, open or undecided, by what it has and the tries it had.

        Args:
            item: one that has just been shown, or vouched for.
            accept: False where the last impression does not count, however good.
        """
        finger = self._fingers[item]
        rules = self.rules
        if not finger.seen_today <= self._vouched:
            finger.state = ItemState.UNDECIDED
        elif accept and finger.worth >= rules.accept_at:
            finger.state = ItemState.TAKEN
        elif finger.tries < rules.tries:
            finger.state = ItemState.OPEN
        else:
            kept = finger.worth >= rules.keep_from
            finger.state = ItemState.TAKEN if kept else ItemState.UNDECIDED

    def keep(self, item: Item) -> None:
        """Have an item be taken because an officer says so."""
        self._fingers[item].state = ItemState.TAKEN

    def vouch(self, who: Iterable[str]) -> None:
        """Have nobody mind these people's fingers any more, nor those that wait for that only."""
        self._vouched |= set(who)
        for item in self.standing(ItemState.UNDECIDED):
            finger = self._fingers[item]
            if finger.seen_today and not finger.restarted:
                self.weigh(item, accept=True)

    def lose(self, items: Iterable[Item], record: Missing) -> None:
        """Have a finger be missing in all its ways; what was shown of it is dropped."""
        for item in items:
            finger = self._fingers[item] = self._fresh()
            finger.state, finger.missing = ItemState.MISSING, record
            self.controls.drop((item,))

    def waive(self, item: Item) -> None:
        """Have an item be let be; what was shown for it is dropped."""
        self._fingers[item] = self._fresh()
        self._fingers[item].state = ItemState.WAIVED

    def clear(self, items: Iterable[Item]) -> None:
        """Open items and reject what was shown for them."""
        for item in items:
            self._fingers[item] = self._fresh()
            self._doubt(item)

    def begin_anew(self, item: Item) -> None:
        """Open an item; what was shown for it counts again if it proves to be the same finger."""
        finger = self._fingers[item]
        finger.attempts.begin_anew()
        finger.state = ItemState.OPEN
        finger.held = []
        finger.tries = 0
        finger.mistaken_for = None
        finger.seen_today = set()
        finger.trusted = False
        self._doubt(item)

    def mix_up(self, item: Item, other: Item) -> tuple[Item, ...]:
        """Open an item, and all that was taken of its finger and of another: one is the other.

        Once only; where that has been done to one of them before, an officer decides.

        Returns:
            Those that are open again.
        """
        fingers = {item.position, other.position}
        mixed = [
            one for one in self.standing(ItemState.TAKEN) if one.position in fingers and one != item
        ]
        mixed.append(item)
        again = any(self._fingers[one].restarted for one in mixed)
        for one in mixed:
            self._doubt(one)
            if again:
                self._fingers[one].state = ItemState.UNDECIDED
            else:
                self.begin_anew(one)
                self._fingers[one].restarted = True
        return () if again else tuple(mixed)

    def settle(self) -> None:
        """Draw the control presses once nothing is open and no officer is awaited."""
        self.shown = tuple(
            one for finger in self._fingers.values() for one in finger.attempts.candidates
        )
        unsettled = self.standing(ItemState.OPEN) + self.standing(ItemState.UNDECIDED)
        if not unsettled and not self.controls.drawn:
            self.controls.draw(self._controllable())

    def _fresh(self) -> Finger:
        floors = (self.rules.accept_at, self.rules.keep_from)
        return Finger(Attempts(self.likeness, floors))

    def _doubt(self, item: Item) -> None:
        self._suspects.add(item)
        self.controls.forget()

    def _controllable(self) -> tuple[Item, ...]:
        """Return which flat fingers a control press could confirm, and none has confirmed yet.

        Where fingers were mixed up before, they are the ones that are asked for again. A print
        that an officer kept is not asked for: it is poor, or somebody has looked at it.
        """
        taken = self.taken()
        flat = [item for item in taken if item.kind is ImpressionKind.PLAIN]
        if len(flat) <= 1:
            return ()
        pool = [
            item
            for item in flat
            if taken[item].worth >= self.rules.keep_from
            and not self._fingers[item].trusted
            and not self._confirmed(item, taken)
        ]
        return tuple(item for item in pool if item in self._suspects) or tuple(pool)

    def _confirmed(self, item: Item, taken: Mapping[Item, Impression]) -> bool:
        others = (
            one for other, one in taken.items() if other.position == item.position and other != item
        )
        return self.likeness.most(taken[item], others) >= limits.CONTROL_FROM.value
