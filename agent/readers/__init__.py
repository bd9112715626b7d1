"""Extractive readers: models that copy an answer out of a passage."""
