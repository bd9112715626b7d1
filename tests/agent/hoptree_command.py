"""The installed `hoptree` command, run in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

COMMAND = Path(sys.executable).with_name("hoptree")


@dataclass
class Hoptree:
    """The installed command in a folder of its own: its settings, data and traces are there."""

    folder: Path
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HOPTREE_")}
        self.env = kept | {
            "HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "HOPTREE_TRACES": str(self.folder / "runs"),
            "HOPTREE_THREADS": "1",
            # Neither a busy machine nor a shift of the calibration changes which path is taken.
            "HOPTREE_LIMITS__MAX_SECONDS": "600",
            "HOPTREE_LIMITS__ACCEPT": "0.3",
            "COLUMNS": "80",
        }

    def start(
        self,
        *args: str | bytes | Path,
        env: dict[str, str] | None = None,
        before: Callable[[], None] | None = None,
    ) -> subprocess.Popen[str]:
        """Start the command; `before` runs in the child."""
        return subprocess.Popen(
            [COMMAND, *args],
            cwd=self.folder,
            env=self.env | (env or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=before,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def __call__(
        self,
        *args: str | bytes | Path,
        env: dict[str, str] | None = None,
        stdin: str = "",
        before: Callable[[], None] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        process = self.start(*args, env=env, before=before)
        out, err = process.communicate(stdin, timeout=300)
        return subprocess.CompletedProcess(args, process.returncode, out, err)
