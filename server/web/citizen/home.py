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


def _asked_day() -> date:
    """Return the day fees are asked for, today where none or a far one is."""
    today = desk().today()
    asked = forms.day(request.args.get("on", ""))
    return asked if asked is not None and abs(asked - today) <= FARTHEST else today


@pages.get("/procedure")
@open_to("everybody")
def procedure() -> ResponseReturnValue:
    """Show cases, fees and deadlines that hold on a day."""
    on = _asked_day()
    profile = cases.profile(cases.DEFAULT_PROFILE)
    rows = []
    for case in cases.cases(profile.code):
        charged = [fees.fee(kind, on) for kind in fees.kinds_of(case.fee)]
        days = working_days(profile.code, case.deadline, on)
        rows.append((case, charged, days))
    return render_template(
        "citizen/procedure.html", on=on, today=desk().today(), profile=profile, rows=rows
    )
