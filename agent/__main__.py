"""The `hoptree` command, which can be stopped at any time: also while it is still loading."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from agent.cli import main as run

        run()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
