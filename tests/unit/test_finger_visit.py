"""Ten fingers, some tries each: what is kept, what is refused, and who decides the rest."""

import cv2
import numpy as np
import pytest

from biometrics.capture import MissingReason
from biometrics.finger.compare import SAME_FROM, compare
from biometrics.finger.hints import FingerHint
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.judge import FingerJudge
from biometrics.finger.plan import Step, Touch
from biometrics.finger.visit import (
    DecisionKind,
    FingerVisit,
    ItemState,
    NotNow,
    NotWanted,
    Offered,
    OfficerNeeded,
    Outcome,
    PlanInvalid,
    ReasonInvalid,
)
from biometrics.records import minutiae as records
from hardware.finger.hand import SimulatedHand
from tests.presses import (
    ALL_TEN,
    AT,
    BLANK,
    OFFICER,
    SIZE,
    Reading,
    asked,
    begin,
    lay,
    minutiae,
    plain,
    press,
    put,
    recorded,
    singles,
    waits,
)


def test_good_fingers_are_taken_at_the_first_try_in_the_plans_order() -> None:
    visit = begin(singles((2, 1, 7)))
    for position in (2, 1, 7):
        assert asked(visit) == position
        taken = put(visit, position)
        assert (taken.outcome, taken.kept, taken.hint, taken.tries_left) == (
            Outcome.TAKEN,
            True,
            None,
            0,
        )
    assert visit.complete
    assert [found.position for found in visit.prints()] == [2, 1, 7]


def test_a_print_keeps_its_picture_losslessly_with_what_was_seen_in_it() -> None:
    visit = begin(singles((4,)))
    put(visit, 4, 72, 3)
    (kept,) = visit.prints()
    picture = cv2.imdecode(np.frombuffer(kept.image, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert np.array_equal(picture, press(4, 72, 3))
    assert (kept.width, kept.height, kept.dpi, kept.reader) == (SIZE, SIZE, 500, "reader 7")
    assert (kept.nfiq2, kept.estimate, kept.minutiae, kept.attempts) == (72, 72.0, 34, 1)


def test_a_print_goes_on_record_with_its_minutiae_and_those_of_what_agrees_with_it() -> None:
    visit = begin(singles((4,)))
    put(visit, 4, 45, 0)
    put(visit, 4, 72, 3)
    (kept,) = visit.prints()
    assert kept.template is not None
    assert kept.support is not None
    (view,) = records.decode(kept.template).views
    (other,) = records.decode(kept.support).views
    assert (view.position, view.quality, len(view.points)) == (4, 72, 34)
    assert (other.position, other.quality) == (4, 45)
    score = compare(minutiae(4, 0), minutiae(4, 3))
    assert kept.agreement == score > SAME_FROM
    assert (kept.nfiq2, kept.attempts) == (72, 2)


def test_a_print_that_was_shown_once_has_nothing_that_agrees_with_it() -> None:
    visit = begin(singles((4,)))
    put(visit, 4)
    (kept,) = visit.prints()
    assert kept.template is not None
    assert (kept.support, kept.agreement) == (None, None)


def test_a_poor_impression_asks_for_another_with_a_hint_and_the_best_is_kept() -> None:
    visit = begin(singles((1,)))
    assert put(visit, 1, 36, 0).hint is FingerHint.TOO_DRY
    second = put(visit, 1, 45, 1)
    assert (second.outcome, second.kept, second.hint) == (Outcome.AGAIN, True, FingerHint.AGAIN)
    third = put(visit, 1, 38, 2)
    assert (third.outcome, third.kept, third.try_number) == (Outcome.TAKEN, False, 3)
    assert [(found.nfiq2, found.attempts) for found in visit.prints()] == [(45, 3)]
    assert visit.scores == ((plain(1), 45),)


def test_what_is_too_poor_after_all_tries_waits_for_an_officer_while_others_go_on() -> None:
    visit = begin(singles((1, 2)))
    outcomes = [put(visit, 1, 20, touch, at=1).outcome for touch in range(3)]
    assert outcomes == [Outcome.AGAIN, Outcome.AGAIN, Outcome.UNDECIDED]
    assert asked(visit) == 2
    put(visit, 2)
    assert waits(visit) == (1,)
    visit.keep(plain(1), OFFICER, AT)
    assert visit.complete
    assert [found.nfiq2 for found in visit.prints()] == [20, 70]
    (decision,) = visit.decisions
    assert (decision.position, decision.kind, decision.officer, decision.at) == (
        1,
        DecisionKind.KEEP,
        OFFICER,
        AT,
    )


def test_an_officer_may_record_the_finger_as_missing_instead() -> None:
    visit = begin(singles((1,)), tries=1)
    put(visit, 1, 10)
    visit.missing(1, MissingReason.WORN, None, OFFICER, AT)
    assert visit.complete
    assert visit.prints() == ()
    (gone,) = visit.missings
    assert (gone.position, gone.reason, gone.officer) == (1, MissingReason.WORN, OFFICER)
    assert gone.permanent


@pytest.mark.parametrize("reason", list(MissingReason))
@pytest.mark.parametrize("permanent", [None, True, False])
def test_a_reason_lasts_as_long_as_its_list_says(
    reason: MissingReason, permanent: bool | None
) -> None:
    visit = begin(singles((1,)))
    if permanent is not None and permanent not in reason.lasting:
        with pytest.raises(ReasonInvalid):
            visit.missing(1, reason, permanent, OFFICER, AT)
        assert visit.state(plain(1)) is ItemState.OPEN
        assert visit.decisions == ()
        return
    visit.missing(1, reason, permanent, OFFICER, AT)
    (gone,) = visit.missings
    assert gone.permanent is (reason.lasting[0] if permanent is None else permanent)
    assert visit.proof_wanted is reason.shown


def test_no_proof_is_wanted_any_more_once_the_finger_comes_after_all() -> None:
    visit = begin(singles((1,)))
    visit.missing(1, MissingReason.DEFORMED, None, OFFICER, AT)
    before = visit.proof_wanted
    visit.reopen(plain(1), officer=OFFICER, at=AT)
    assert (before, visit.proof_wanted) == (True, False)
    put(visit, 1)
    assert visit.complete


def test_a_missing_finger_is_never_asked_for() -> None:
    visit = begin()
    visit.missing(2, MissingReason.AMPUTATED, None, OFFICER, AT)
    put(visit, 1)
    assert asked(visit) == 3
    with pytest.raises(NotWanted):
        put(visit, 2, at=2)
    with pytest.raises(NotNow):
        visit.missing(2, MissingReason.AMPUTATED, None, OFFICER, AT)


@pytest.mark.parametrize("officer", ["", "   "])
def test_nobody_decides_without_a_name(officer: str) -> None:
    visit = begin(singles((1,)), tries=1)
    put(visit, 1, 10)
    with pytest.raises(OfficerNeeded):
        visit.keep(plain(1), officer, AT)
    with pytest.raises(OfficerNeeded):
        visit.missing(1, MissingReason.WORN, None, officer, AT)
    with pytest.raises(OfficerNeeded):
        visit.reopen(plain(1), officer=officer, at=AT)
    assert visit.state(plain(1)) is ItemState.UNDECIDED
    assert visit.decisions == ()


def test_nothing_can_be_kept_where_no_finger_was_seen() -> None:
    visit = begin(singles((1,)), tries=2)
    hints = [put(visit, BLANK, 99).hint for _ in range(2)]
    assert hints == [FingerHint.NOT_A_FINGER] * 2
    assert visit.needs_officer == (plain(1),)
    with pytest.raises(NotNow):
        visit.keep(plain(1), OFFICER, AT)


def test_a_finger_that_was_taken_already_is_refused_and_named() -> None:
    visit = begin()
    put(visit, 1)
    again = put(visit, 1, 80, 1)
    assert (again.outcome, again.kept, again.hint, again.same_as) == (
        Outcome.AGAIN,
        False,
        FingerHint.SAME_FINGER,
        1,
    )
    assert put(visit, 2).outcome is Outcome.TAKEN


def test_a_citizen_may_redo_a_finger_that_was_taken_wrongly() -> None:
    visit = begin(singles((2, 3)))
    put(visit, 3)
    assert put(visit, 3, 70, 1).same_as == 2
    visit.reopen(plain(2), at=AT)
    assert asked(visit) == 2
    put(visit, 2)
    put(visit, 3, 70, 2)
    assert visit.complete
    assert visit.decisions == ()
    assert recorded(visit) == [(2, 70, 0), (3, 70, 2)]


def test_a_finger_that_a_citizen_redoes_loses_nothing_if_it_proves_to_be_the_same() -> None:
    visit = begin(singles((2,)))
    put(visit, 2, 90, 0)
    visit.reopen(plain(2), at=AT)
    assert put(visit, 2, 40, 1).outcome is Outcome.TAKEN
    assert recorded(visit) == [(2, 90, 0)]


def test_a_citizen_may_redo_a_finger_twice_and_then_an_officer_looks() -> None:
    visit = begin(singles((2,)))
    for touch in range(3):
        put(visit, 2, 70, touch)
        if touch < 2:
            visit.reopen(plain(2), at=AT)
    with pytest.raises(OfficerNeeded):
        visit.reopen(plain(2), at=AT)
    visit.reopen(plain(2), officer=OFFICER, at=AT)
    assert asked(visit) == 2


def test_what_an_officer_rejects_does_not_count_again() -> None:
    visit = begin(singles((2,)))
    put(visit, 2, 90, 0)
    visit.reopen(plain(2), officer=OFFICER, at=AT)
    put(visit, 2, 60, 1)
    assert recorded(visit) == [(2, 60, 1)]


def test_only_an_officer_reopens_what_waits_or_is_missing() -> None:
    visit = begin(singles((1, 2)), tries=1)
    put(visit, 1, 10)
    visit.missing(2, MissingReason.BANDAGED, None, OFFICER, AT)
    for position in (1, 2):
        with pytest.raises(OfficerNeeded):
            visit.reopen(plain(position), at=AT)
        visit.reopen(plain(position), officer=OFFICER, at=AT)
        assert visit.state(plain(position)) is ItemState.OPEN
        assert visit.tries_left(plain(position)) == 1
    with pytest.raises(NotNow):
        visit.reopen(plain(1), officer=OFFICER, at=AT)
    assert visit.missings == ()


def test_a_retry_that_clearly_shows_another_finger_is_told_so() -> None:
    visit = begin(singles((1,)))
    put(visit, 1, 45, 0)
    other = put(visit, 2, 80, 0)
    assert (other.outcome, other.kept, other.hint) == (
        Outcome.AGAIN,
        False,
        FingerHint.OTHER_FINGER,
    )
    assert put(visit, 1, 60, 1).outcome is Outcome.TAKEN
    assert [found.nfiq2 for found in visit.prints()] == [60]


def test_two_against_one_show_that_the_first_finger_was_the_wrong_one() -> None:
    visit = begin(singles((1,)))
    put(visit, 2, 45, 0)
    put(visit, 1, 80, 0)
    third = put(visit, 1, 70, 1)
    assert (third.outcome, third.hint) == (Outcome.TAKEN, None)
    assert [found.nfiq2 for found in visit.prints()] == [80]


def test_fingers_that_contradict_each_other_to_the_end_wait_for_an_officer() -> None:
    visit = begin(singles((1,)), tries=2)
    put(visit, 1, 45, 0)
    assert put(visit, 2, 80, 0).outcome is Outcome.UNDECIDED
    assert visit.needs_officer == (plain(1),)


def test_a_poor_impression_is_never_called_another_finger() -> None:
    visit = begin(singles((1,)))
    put(visit, 1, 30, 0)
    assert put(visit, 2, 30, 0).hint is FingerHint.TOO_DRY


def test_pixels_that_are_no_picture_use_up_no_try() -> None:
    visit = begin(singles((1,)))
    with pytest.raises(ImpressionInvalid):
        lay(visit, {1: np.zeros((64, 64, 3), np.uint8)})
    assert visit.tries_left(plain(1)) == 3


def test_an_empty_plan_is_complete_at_once() -> None:
    assert begin(singles(())).complete


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": singles((1, 1))},
        {"steps": singles((0,))},
        {"steps": singles((11,))},
        {"tries": 0},
        {"tries": 11},
        {"accept_at": 101},
        {"keep_from": -1},
        {"keep_from": 51},
        {"controls": 3},
        {"controls": -1},
    ],
)
def test_a_plan_nobody_can_follow_is_refused(wrong: dict[str, object]) -> None:
    plan: dict[str, object] = {"steps": singles((1,)), "tries": 3, "accept_at": 50, "keep_from": 35}
    with pytest.raises(PlanInvalid):
        FingerVisit(
            judge=Reading(),
            rng=np.random.default_rng(0),
            **{**plan, **wrong},  # type: ignore[arg-type]  # the table holds wrong values
        )


def test_a_position_outside_the_plan_is_refused_everywhere() -> None:
    visit = begin(singles((1,)))
    with pytest.raises(NotWanted):
        put(visit, 2, at=2)
    with pytest.raises(NotWanted):
        visit.keep(plain(2), OFFICER, AT)
    with pytest.raises(NotWanted):
        visit.missing(2, MissingReason.WORN, None, OFFICER, AT)
    with pytest.raises(NotWanted):
        visit.reopen(plain(2), officer=OFFICER, at=AT)
    with pytest.raises(NotWanted):
        visit.state(plain(2))


def test_the_fingers_made_here_are_alike_only_to_themselves() -> None:
    for finger in ALL_TEN:
        assert compare(minutiae(finger, 0), minutiae(finger, 1)) > 2 * SAME_FROM
        for other in ALL_TEN[finger:]:
            assert compare(minutiae(finger, 0), minutiae(other, 0)) < SAME_FROM / 2


def test_a_visit_with_a_simulated_hand_and_the_judge_in_earnest() -> None:
    hand = SimulatedHand(11)

    def show(position: int, shown: int, number: int) -> Offered:
        pixels = hand.finger(shown).impression(number)
        step = Step(positions=(position,), touch=Touch.SINGLE)
        return lay(visit, {position: pixels}, step=step)[position]

    with FingerJudge() as judge:
        visit = FingerVisit(
            steps=singles((1, 2, 7)),
            tries=3,
            accept_at=30,
            keep_from=20,
            judge=judge,
            rng=np.random.default_rng(4),
            controls=1,
        )
        for position in (1, 2, 7):
            assert show(position, position, 1).kept
            if position == 1:
                again = show(2, 1, 2)
                assert (again.hint, again.same_as) == (FingerHint.SAME_FINGER, 1)
        position = asked(visit)
        other = 1 if position != 1 else 2
        swapped = show(position, other, 3)
        assert (swapped.outcome, swapped.same_as) == (Outcome.SWAPPED, other)
        for again_at in sorted((position, other)):
            show(again_at, again_at, 4)
        position = asked(visit)
        assert show(position, position, 5).outcome is Outcome.CONFIRMED
        assert visit.complete
        for found in visit.prints():
            assert found.nfiq2 is not None
            assert found.template is not None
