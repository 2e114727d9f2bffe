"""Draws the lives' pictures from their tables: `./run python -m tests.diagrams > docs/lives.md`."""

from collections.abc import Mapping

import kiosk.life
import scheduler.life
import scheduler.queue_life
import scheduler.wish_life
import server.rules.dossier
import server.rules.messages

LIVES: dict[str, Mapping[object, Mapping[object, object]]] = {
    "Dossier": server.rules.dossier.LIFE,  # type: ignore[dict-item]  # Mapping's key is invariant
    "Appointment": scheduler.life.LIFE,  # type: ignore[dict-item]
    "Waiting room": scheduler.queue_life.LIFE,  # type: ignore[dict-item]
    "Wish for a place": scheduler.wish_life.LIFE,  # type: ignore[dict-item]
    "Draw by lot": scheduler.wish_life.DRAW_LIFE,  # type: ignore[dict-item]
    "Message to a citizen": server.rules.messages.LIFE,  # type: ignore[dict-item]
    "Visit at the kiosk": kiosk.life.LIFE,  # type: ignore[dict-item]
}


def draw() -> str:
    """Return the page, one state diagram a life."""
    lines = [
        "# Lives",
        "",
        "Drawn from the tables; `./run python -m tests.diagrams` draws it anew.",
    ]
    for name, life in LIVES.items():
        lines += ["", f"## {name}", "", "```mermaid", "stateDiagram-v2"]
        lines += [
            f"    {state} --> {to}: {event}"
            for state, events in life.items()
            for event, to in events.items()
        ]
        lines.append("```")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(draw(), end="")
