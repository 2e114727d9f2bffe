"""Every static check in one command: style, types, who imports whom, dependencies, dead tests.

It runs no test; `./run test` does both.
"""

import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
CHECKS = {
    "style": ("ruff", "check", "--quiet", "."),
    "format": ("ruff", "format", "--check", "--quiet", "."),
    "types": ("mypy",),
    "imports": ("lint-imports", "--no-cache"),
    "dependencies": ("deptry", "."),
    "dead tests": ("vulture", "tests"),
}


def main() -> int:
    """Run every check, also after one has failed, and return 1 where one did."""
    failed = []
    for name, command in CHECKS.items():
        done = subprocess.run(
            [BIN / command[0], *command[1:]], check=False, capture_output=True, text=True
        )
        print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name}")
        if done.returncode:
            failed.append(name)
            print(done.stdout + done.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
