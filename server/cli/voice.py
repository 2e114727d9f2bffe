"""Has the clips of the waiting room's voice made, by a process of its own: eSpeak NG is GPL.

Without them a screen chimes and shows the numbers.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from server.rules import voice
from server.settings import Settings

WITHIN = 120.0
"""Seconds; some thirty clips take about one."""


def _create(_arguments: argparse.Namespace, settings: Settings) -> int:
    folder = settings.data / voice.FOLDER
    with tempfile.TemporaryDirectory() as made:
        wanted = Path(made) / "clips.json"
        wanted.write_text(json.dumps(voice.clips(), ensure_ascii=False), encoding="utf-8")
        command = [sys.executable, "-m", "kiosk.speech", str(folder), "--clips", str(wanted)]
        try:
            return subprocess.run(command, timeout=WITHIN, check=False).returncode
        except subprocess.TimeoutExpired as late:
            sys.stderr.write(f"the voice was not made: {late}\n")
            return 1


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``voice-create``."""
    parser = commands.add_parser("voice-create", help="make the clips that call numbers aloud")
    parser.set_defaults(run=_create)
