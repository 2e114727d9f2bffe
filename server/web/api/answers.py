"""Answers of the programs' door as JSON.

It knows no refusal: these stand in `problems`.
"""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response


def answer(content: Mapping[str, Any], status: int = 200) -> Response:
    """Return `content` as JSON."""
    said = json.dumps(content, ensure_ascii=False)
    return Response(said, status=status, mimetype="application/json")
