"""Trains the Chinese reader that ships as `agent/readers/reader-zh.json`. See the README here."""
