"""Planners, and the code that checks and ranks what they propose."""
