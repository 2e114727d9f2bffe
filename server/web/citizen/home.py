"""The first page and what there is to know before beginning: who, what for, how much, how long.

Fees and deadlines come from dated tables.
"""

from datetime import date, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from server.rules import cases, fees
from server.rules.deadlines import working_days
from server.rules.dossier import DossierState
from server.web.citizen import forms
from server.web.citizen.desk import at_hand, desk
from server.web.guard import open_to

pages = Blueprint("home", __name__)

FARTHEST = timedelta(days=400)


@pages.get("/")
@open_to("everybody")
def home() -> ResponseReturnValue:
    """Show the three ways from here."""
    draft = at_hand()
    return render_template(
        "citizen/home.html",
        unfinished=draft is not None and draft.state is DossierState.DRAFT,
        booked=draft is not None and draft.live is not None,
    )


def _asked_profile() -> cases.Profile:
    """Return the body of law that is asked for, today's where none or an unknown one is."""
    try:
        return cases.profile(request.args.get("profile", "")[:32])
    except cases.CaseUnknown:
        return cases.profile()


def _asked_day(profile: cases.Profile) -> date:
    """Return the asked day, else today, kept within the days on which the law holds."""
    today = desk().today()
    asked = forms.day(request.args.get("on", "")) or today
    last = min(profile.valid_to or date.max, max(today, profile.valid_from) + FARTHEST)
    return max(profile.valid_from, min(asked, last))


@pages.get("/procedure")
@open_to("everybody")
def procedure() -> ResponseReturnValue:
    """Show cases, fees and deadlines that hold on a day, under the law of today or of before."""
    profile, today = _asked_profile(), desk().today()
    on = _asked_day(profile)
    rows = []
    for case in cases.cases(profile.code):
        charged = [fees.fee(kind, on) for kind in fees.kinds_of(case.fee)]
        days = working_days(profile.code, case.deadline, on)
        rows.append((case, charged, days))
    return render_template(
        "citizen/procedure.html",
        on=on,
        profile=profile,
        profiles=cases.profiles(),
        in_force=profile.valid_from <= today <= (profile.valid_to or today),
        reduced=any(
            fee.digital_citizen_vnd is not None for _, charged, _ in rows for fee in charged
        ),
        rows=rows,
    )
