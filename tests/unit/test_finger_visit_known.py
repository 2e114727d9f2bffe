"""What is noticed while the person stands there: a finger that is nobody's or somebody else's."""

import pytest

from biometrics.finger.hints import FingerHint
from biometrics.finger.known import Hit, HitKind
from biometrics.finger.plan import RIGHT
from biometrics.finger.visit import (
    Alert,
    NotNow,
    OfficerNeeded,
    Outcome,
)
from tests.presses import (
    AT,
    BLANK,
    BLIND,
    FAINT,
    OFFICER,
    SLAPS,
    Acquaintances,
    asked,
    begin,
    plain,
    put,
    recorded,
    singles,
    slap,
    waits,
)

COLLEAGUE = "CB-12"


def met(finger: int, kind: HitKind, who: str) -> Acquaintances:
    return Acquaintances(hits={finger: Hit(kind=kind, who=who, score=20.0)})


def test_a_picture_that_came_before_is_no_touch_wherever_it_comes_again() -> None:
    visit = begin(singles((1, 2)), controls=1)
    put(visit, 1, 40)
    again = put(visit, 1, 40)
    assert (again.outcome, again.hint, again.alert) == (
        Outcome.AGAIN,
        FingerHint.REPLAY,
        Alert.REPLAY,
    )
    put(visit, 1, 70, 1)
    assert put(visit, 1, 70, 1).alert is Alert.REPLAY
    put(visit, 2, 70, 2)
    position = asked(visit)
    assert put(visit, position, 70, position).alert is Alert.REPLAY
    assert put(visit, position, 70, 5).outcome is Outcome.CONFIRMED


def test_a_picture_is_remembered_also_after_an_officer_rejected_it() -> None:
    visit = begin(singles((1,)))
    put(visit, 1)
    visit.reopen(plain(1), officer=OFFICER, at=AT)
    assert put(visit, 1).alert is Alert.REPLAY


def test_an_empty_glass_is_no_replay() -> None:
    visit = begin(singles((1,)))
    assert [put(visit, BLANK, 0).hint for _ in range(2)] == [FingerHint.NOT_A_FINGER] * 2


def test_one_picture_at_two_places_of_a_slap_is_believed_at_neither() -> None:
    visit = begin((SLAPS[2],))
    offered = slap(visit, (1, 1))
    assert {one.alert for one in offered.values()} == {Alert.REPLAY}


def test_an_officers_finger_is_not_taken_and_the_officer_is_named_to_the_journal_only() -> None:
    visit = begin(singles((1, 2)), known=met(9, HitKind.OFFICER, COLLEAGUE))
    shown = put(visit, 9)
    assert (shown.outcome, shown.hint, shown.alert, shown.who) == (
        Outcome.AGAIN,
        FingerHint.OFFICER,
        Alert.OFFICER,
        COLLEAGUE,
    )
    assert put(visit, 1).outcome is Outcome.TAKEN
    assert recorded(visit) == [(1, 70, 0)]


def test_an_officer_who_came_as_a_citizen_needs_another_officer_and_only_once() -> None:
    known = Acquaintances(
        hits={finger: Hit(kind=HitKind.OFFICER, who=COLLEAGUE, score=20.0) for finger in (1, 2)}
    )
    visit = begin(singles((1, 2)), tries=2, known=known)
    assert [put(visit, 1, 70, touch).outcome for touch in (0, 1)] == [
        Outcome.AGAIN,
        Outcome.UNDECIDED,
    ]
    with pytest.raises(OfficerNeeded):
        visit.keep(plain(1), COLLEAGUE, AT)
    assert visit.decisions == ()
    visit.keep(plain(1), OFFICER, AT)
    assert put(visit, 2).outcome is Outcome.TAKEN
    assert visit.complete


def test_an_officers_finger_is_not_kept_where_another_position_has_it() -> None:
    visit = begin(singles((1, 2)), tries=1, known=met(9, HitKind.OFFICER, COLLEAGUE))
    put(visit, 9, 70, 0)
    put(visit, 9, 70, 1)
    visit.keep(plain(1), OFFICER, AT)
    with pytest.raises(NotNow):
        visit.keep(plain(2), OFFICER, AT)
    assert waits(visit) == (2,)


def test_a_persons_own_impression_is_kept_before_an_officers() -> None:
    visit = begin(singles((1,)), tries=2, known=met(9, HitKind.OFFICER, COLLEAGUE))
    put(visit, 1, 20)
    put(visit, 9, 90)
    visit.keep(plain(1), OFFICER, AT)
    assert recorded(visit) == [(1, 20, 0)]


def test_a_finger_seen_today_for_another_dossier_waits_for_an_officer_at_once() -> None:
    hit = Hit(kind=HitKind.TODAY, who="TN-26-4F7K", score=20.0)
    visit = begin(SLAPS, known=Acquaintances(hits=dict.fromkeys(RIGHT, hit)))
    offered = slap(visit, RIGHT)
    assert {one.alert for one in offered.values()} == {Alert.SEEN_TODAY}
    assert {one.who for one in offered.values()} == {"TN-26-4F7K"}
    assert {one.outcome for one in offered.values()} == {Outcome.UNDECIDED}
    assert visit.needs_officer == tuple(plain(position) for position in RIGHT)
    visit.keep(plain(2), OFFICER, AT)
    assert visit.needs_officer == ()
    assert len(visit.prints()) == 4
    assert len(visit.decisions) == 1


def test_a_finger_seen_today_at_the_control_press_waits_for_an_officer_too() -> None:
    known = Acquaintances()
    visit = begin(singles((1, 2)), controls=1, known=known)
    put(visit, 1)
    put(visit, 2)
    position = asked(visit)
    known.hits[position] = Hit(kind=HitKind.TODAY, who="TN-26-4F7K", score=20.0)
    pressed = put(visit, position, 70, 5)
    assert (pressed.outcome, pressed.alert) == (Outcome.UNDECIDED, Alert.SEEN_TODAY)
    assert waits(visit) == (position,)
    visit.keep(plain(position), OFFICER, AT)
    assert visit.complete


@pytest.mark.parametrize("finger", [FAINT, BLIND], ids=["few minutiae", "none looked for"])
def test_a_finger_too_faint_to_be_told_from_others_is_kept_by_an_officer_only(finger: int) -> None:
    visit = begin(singles((1,)), tries=2)
    put(visit, finger, 90, 0)
    assert put(visit, finger, 80, 1).outcome is Outcome.UNDECIDED
    visit.keep(plain(1), OFFICER, AT)
    assert recorded(visit) == [(finger, 90, 0)]
    assert visit.prints()[0].minutiae == (5 if finger == FAINT else 0)
    assert (visit.prints()[0].template is None) is (finger == BLIND)
