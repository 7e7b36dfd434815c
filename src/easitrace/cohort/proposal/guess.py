"""A line of a proposed parameter file: what was found, and whether a person must look at it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Guess:
    """One entry of a parameter file.

    Attributes
    ----------
    key : tuple of str
        Its path, e.g. ("columns", "easi").
    value : Any
        What was found; None when only a person can decide.
    note : str
        Why a person must look at it; "" when it is sure.
    """

    key: tuple[str, ...]
    value: Any
    note: str = ""

    @property
    def open(self) -> bool:
        """Whether a person must decide, because the file does not tell."""
        return self.value is None
