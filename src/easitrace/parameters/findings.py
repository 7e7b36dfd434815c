"""What is wrong with a parameter, before it is known on which line it stands; small helpers of the room."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True)
class Finding:
    """A problem at a path of keys."""

    path: tuple[str | int, ...]
    code: str
    what: str
    remedy: str = ""

    @property
    def key(self) -> str:
        """The path as it is printed: `columns.easi`, `covariates item 2`."""
        text = ""
        for part in self.path:
            shown = part if isinstance(part, int) or re.fullmatch(r"[\w *.-]{1,64}", part) else repr(part[:64])
            text += f" item {shown + 1}" if isinstance(shown, int) else f".{shown}" if text else shown
        return text


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """The nearest known word, or all of them when none is near."""
    words = list(known)
    close = get_close_matches(str(word).lower(), words, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"it is one of {', '.join(words)}"


def plain(value: Any) -> Any:
    """A parameter as JSON knows it; of a nested one what was given."""
    return value.model_dump(exclude_unset=True, exclude_none=True) if isinstance(value, BaseModel) else value
