"""What each press on the screen does, where it may be pressed, and whether it may come late.

It holds no sentence and no route; a press that does not fit changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from biometrics.words import LANGUAGES
from kiosk import decisions, scan, signature, steps
from kiosk.booth import Booth, Stale
from kiosk.life import NotNow, VisitEvent, VisitState
from kiosk.protocol import CheckIn
from kiosk.scan import Unread
from kiosk.screens import BUSY, Screen
from kiosk.signature import NotSigned
from kiosk.words import words

Values = Mapping[str, str]
_S = Screen


class ActionUnknown(LookupError):
    """No button has this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One press.

    Attributes:
        on: screens where it may be pressed.
        bound: it answers one screen; a second press, or one after the screen has moved on, is
            refused. What is not bound may be pressed any time in the same visit: calling an
            officer must not fail because a finger was accepted meanwhile.
    """

    does: Callable[[Booth, Values], None]
    on: frozenset[Screen]
    bound: bool = True


def act(booth: Booth, name: str, token: str, values: Values) -> None:
    """Do what a press asks for.

    Raises:
        ActionUnknown: no such button.
        Stale: the press answers a screen that is over; nothing has changed.
    """
    action = ACTIONS.get(name)
    if action is None:
        raise ActionUnknown(name[:40])
    with booth.lock:
        booth.answer(token, bound=action.bound, on=action.on)
        try:
            action.does(booth, values)
        except NotNow as error:
            raise Stale(str(error)) from error
        booth.changed()


# The citizen's


def _type_code(booth: Booth, values: Values) -> None:
    del values
    booth.enter(Screen.TYPE_CODE)


def _back(booth: Booth, values: Values) -> None:
    del values
    before = {_S.TYPE_CODE: _S.ATTRACT, _S.NOTICE: _S.CONFIRM, _S.SIGN: _S.READ_BACK}
    booth.enter(before[booth.under])


def _code(booth: Booth, values: Values) -> None:
    ticket = scan.ticket(values.get("ticket", ""))
    if isinstance(ticket, Unread):
        booth.enter(Screen.TYPE_CODE, words()["code.shape"])
    else:
        steps.check_in(booth, CheckIn(ticket=ticket))


def _confirm(booth: Booth, values: Values) -> None:
    del values
    booth.enter(Screen.NOTICE)


def _agree(booth: Booth, values: Values) -> None:
    if values.get("agreed") == "yes":
        booth.happen(VisitEvent.AGREE)
    else:
        booth.enter(Screen.NOTICE, words()["notice.tick"])


def _refuse(booth: Booth, values: Values) -> None:
    del values
    booth.leave(VisitEvent.GIVE_UP, "gave_up")
    booth.parting = "refused"


def _not_me(booth: Booth, values: Values) -> None:
    del values
    booth.leave(VisitEvent.GIVE_UP, "gave_up")
    booth.parting = "not_me"


def _sit_down(booth: Booth, values: Values) -> None:
    del values
    fittings = booth.fittings
    if fittings.outbox.reserve(least_free=fittings.settings.least_free) is not None:
        booth.enter(Screen.PREPARE, words()["closed.disk"])
    else:
        booth.happen(VisitEvent.SIT_DOWN)


def _keep(booth: Booth, values: Values) -> None:
    del values
    steps.keep_portrait(booth)


def _retake(booth: Booth, values: Values) -> None:
    del values
    booth.visit.note("portrait_again", at=booth.fittings.clock.now())
    booth.enter(Screen.PORTRAIT)


def _portrait_again(booth: Booth, values: Values) -> None:
    del values
    booth.visit.portrait = None
    booth.happen(VisitEvent.RETAKE_PORTRAIT)


def _to_sign(booth: Booth, values: Values) -> None:
    del values
    booth.enter(Screen.SIGN)


def _sign(booth: Booth, values: Values) -> None:
    drawn = signature.read(values.get("signature", ""))
    if isinstance(drawn, NotSigned):
        booth.enter(Screen.SIGN, words()[f"sign.{drawn}"])
    else:
        steps.seal(booth, drawn.image)


def _finish(booth: Booth, values: Values) -> None:
    del values
    booth.finish()


def _give_up(booth: Booth, values: Values) -> None:
    del values
    if booth.visit.state is VisitState.WAITING:
        booth.finish()
    else:
        booth.leave(VisitEvent.GIVE_UP, "gave_up")


def _extend(booth: Booth, values: Values) -> None:
    del values
    booth.touch()


def _language(booth: Booth, values: Values) -> None:
    to = values.get("to", "")
    booth.language = to if to in LANGUAGES else LANGUAGES[0]


def _call(booth: Booth, values: Values) -> None:
    del values
    booth.call()


def _skip(booth: Booth, values: Values) -> None:
    del values
    booth.visit.note("liveness_skipped", at=booth.fittings.clock.now())
    steps.end_attendance(booth)


def _sound(booth: Booth, values: Values) -> None:
    booth.sound = values.get("to") == "on"


_EVERYWHERE = frozenset(Screen)
_STEPS = frozenset(Screen) - {_S.HELP, _S.DESK} - BUSY
_LEAVABLE = frozenset(Screen) - {_S.ATTRACT, _S.SEALED, _S.FAREWELL, _S.SEALING, _S.DESK}


def _on(*screens: Screen) -> frozenset[Screen]:
    return frozenset(screens)


ACTIONS: Final[Mapping[str, Action]] = {
    "type_code": Action(does=_type_code, on=_on(_S.ATTRACT)),
    "back": Action(does=_back, on=_on(_S.TYPE_CODE, _S.NOTICE, _S.SIGN)),
    "code": Action(does=_code, on=_on(_S.TYPE_CODE)),
    "confirm": Action(does=_confirm, on=_on(_S.CONFIRM)),
    "not_me": Action(does=_not_me, on=_on(_S.CONFIRM)),
    "agree": Action(does=_agree, on=_on(_S.NOTICE)),
    "refuse": Action(does=_refuse, on=_on(_S.NOTICE)),
    "sit_down": Action(does=_sit_down, on=_on(_S.PREPARE)),
    "skip": Action(does=_skip, on=_on(_S.LIVENESS)),
    "keep": Action(does=_keep, on=_on(_S.LOOK)),
    "retake": Action(does=_retake, on=_on(_S.LOOK)),
    "portrait_again": Action(does=_portrait_again, on=_on(_S.READ_BACK)),
    "to_sign": Action(does=_to_sign, on=_on(_S.READ_BACK)),
    "sign": Action(does=_sign, on=_on(_S.SIGN)),
    "finish": Action(does=_finish, on=_on(_S.SEALED, _S.FAREWELL)),
    "give_up": Action(does=_give_up, on=_LEAVABLE, bound=False),
    "extend": Action(does=_extend, on=_EVERYWHERE, bound=False),
    "sound": Action(does=_sound, on=_EVERYWHERE, bound=False),
    "language": Action(does=_language, on=_EVERYWHERE, bound=False),
    "call_officer": Action(does=_call, on=_STEPS, bound=False),
    "resume": Action(does=decisions.resume, on=_on(_S.HELP, _S.DESK)),
    "pin": Action(does=decisions.pin, on=_on(_S.HELP)),
    "missing": Action(does=decisions.missing, on=_on(_S.DESK)),
    "keep_finger": Action(does=decisions.keep_finger, on=_on(_S.DESK)),
    "waive_roll": Action(does=decisions.waive_roll, on=_on(_S.DESK)),
    "reopen_finger": Action(does=decisions.reopen_finger, on=_on(_S.DESK)),
    "proof": Action(does=decisions.proof, on=_on(_S.DESK)),
    "waive_proof": Action(does=decisions.waive_proof, on=_on(_S.DESK)),
    "skip_irises": Action(does=decisions.skip_irises, on=_on(_S.DESK)),
    "enrol": Action(does=decisions.enrol, on=_on(_S.DESK)),
    "assist": Action(does=decisions.assist, on=_on(_S.DESK)),
    "force_portrait": Action(does=decisions.force_portrait, on=_on(_S.DESK)),
    "sign_for": Action(does=decisions.sign_for, on=_on(_S.DESK)),
    "end": Action(does=decisions.end, on=_on(_S.DESK)),
}
