"""The one error of comparing values."""


class Incomparable(ValueError):  # it names a relation, and reads so where it is caught
    """Two values have no certain order: other units, or dates too coarse to tell."""
