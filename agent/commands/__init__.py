"""Commands that are too large for `agent/cli.py`, one module each."""
