"""``nnlite lectures`` in a process of its own, for tests."""

import os
import subprocess
import sys
from pathlib import Path

CHECK = "closed_form('one', 1.0, 1.0, atol=1e-6, formula='x^2', source='Author 1999, eq. 1')"
COMMAND = [sys.executable, "-X", "utf8", "-m", "nnlite.cli", "lectures"]


def run_lectures(
    folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
