"""Prompt templates and the schemas of what models write."""
