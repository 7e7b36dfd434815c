"""Identifiers to look for, and finding them in a text however they are written.

An identifier is found in small or capital letters and whatever separators stand between its letters and digits, as a
whole word; a long one also inside a word. One that could be any number or word (`7`, `JdV`) is found only after a word
such as "patient": elsewhere it cannot be told from other numbers, which is counted and said.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from easitrace.errors import DisclosureError, Problem

RUN = re.compile(r"[^\W\d_]+|\d+")
GAP = re.compile(r"[-\u2010-\u2015_/ ]{0,2}")
CONTEXT = re.compile(
    r"\b(?:patient|subject|participant|person|record|case|identifier|id|nr|usubjid|subjid|pat|pt)"
    r"(?:[ _-]?(?:identifier|number|code|id|nr|no))?[ _:=#\"'.-]{0,4}$"
)
LOOKED_BACK = 40
SHORTEST_NUMBER = 6
SHORTEST_MIXED = 3
SHORTEST_WORD = 4
LONG = 8
FEW = 50
CHUNK = 1_000_000


@dataclass(frozen=True)
class Needles:
    """Identifiers, prepared for the search; each maps from the form that is looked for to the identifier.

    Attributes
    ----------
    words : dict
        Letters and digits only, found as a whole word.
    short : dict
        The same for those found only after a word such as "patient".
    inside : dict
        Found wherever they stand, as they are written: the long ones, and those with other signs.
    runs : int
        Most runs of letters or of digits that one of them has.
    """

    words: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)
    runs: int = 1

    @property
    def size(self) -> int:
        """How many different identifiers there are."""
        return len({*self.words.values(), *self.short.values(), *self.inside.values()})


def prepare(identifiers: Iterable[str]) -> Needles:
    """Sort identifiers by how they can be found.

    Raises
    ------
    DisclosureError
        E505 when there is none.
    """
    own = [text.strip().casefold() for text in identifiers]
    longest = max((len(RUN.findall(text)) for text in own), default=0)
    needles = Needles(runs=longest + 1)
    for text in filter(None, dict.fromkeys(own)):
        joined = "".join(RUN.findall(text))
        if joined:
            (needles.short if _is_short(joined) else needles.words)[joined] = text
        if not joined or (len(text) >= LONG and not joined.isdigit()):
            needles.inside[text] = text
    if not needles.size:
        raise DisclosureError(Problem("E505", "identifiers", "there is none", "give a file with one to a line"))
    return needles


def _is_short(joined: str) -> bool:
    if joined.isdigit():
        return len(joined) < SHORTEST_NUMBER
    return len(joined) < (SHORTEST_WORD if joined.isalpha() else SHORTEST_MIXED)


def found(text: str, needles: Needles) -> Iterator[tuple[int, str]]:
    """Where identifiers stand in a text.

    Yields
    ------
    (int, str)
        Line, counted from 1, and the identifier in small letters.
    """
    small = text.casefold()
    for start, joined in _joined_runs(small, needles.runs):
        if joined in needles.words:
            yield small.count("\n", 0, start) + 1, needles.words[joined]
        elif joined in needles.short and CONTEXT.search(small[max(0, start - LOOKED_BACK) : start]):
            yield small.count("\n", 0, start) + 1, needles.short[joined]
    for identifier in _inside(small, needles.inside):
        yield small.count("\n", 0, small.index(identifier)) + 1, identifier


def _joined_runs(small: str, most: int) -> Iterator[tuple[int, str]]:
    """Up to `most` neighbouring runs of letters or digits, joined, where they make whole words."""
    runs = [(run.start(), run.end(), run[0]) for run in RUN.finditer(small)]
    for first, (start, _, _) in enumerate(runs):
        if first and runs[first - 1][1] == start:
            continue
        joined = ""
        for place in range(first, min(first + most, len(runs))):
            begin, end, run = runs[place]
            if place > first and not GAP.fullmatch(small, runs[place - 1][1], begin):
                break
            joined += run
            whole = place + 1 == len(runs) or runs[place + 1][0] > end
            if whole and not (joined.isdigit() and _is_other_number(small, start, end)):
                yield start, joined


def _is_other_number(small: str, start: int, end: int) -> bool:
    """Whether digits are part of a decimal number, or of several numbers with blanks between."""
    before, after = small[max(0, start - 1) : start], small[end : end + 2]
    decimal = before in (".", ",") and small[max(0, start - 2) : start - 1].isdigit()
    return decimal or (after[:1] == "." and after[1:].isdigit()) or " " in small[start:end]


def _inside(small: str, needles: Mapping[str, str]) -> Iterator[str]:
    """The needles that stand anywhere in the text; many of one length are looked up, few are searched one by one."""
    lengths: dict[int, set[str]] = defaultdict(set)
    for needle in needles:
        lengths[len(needle)].add(needle)
    for length, group in lengths.items():
        if len(group) <= FEW:
            yield from sorted(needle for needle in group if needle in small)
        else:
            starts = range(0, len(small), CHUNK)
            cut = ({small[i : i + length] for i in range(start, min(start + CHUNK, len(small)))} for start in starts)
            yield from sorted({needle for slices in cut for needle in slices & group})
