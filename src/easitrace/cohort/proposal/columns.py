"""Which column plays which role: by its name, checked against what it holds."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from easitrace.cohort.findings import quoted
from easitrace.cohort.layout import starred
from easitrace.cohort.proposal.guess import Guess
from easitrace.cohort.proposal.vocabulary import INSTRUMENTS, ROLES, TELLING, plain
from easitrace.cohort.proposal.writing import NUMBER, distinct, filled, is_date_like, mostly_numbers
from easitrace.cohort.roles import DATE_ROLES, EASI_PARTS, PARTS, SCORAD_PARTS, TIME_ROLES
from easitrace.instruments import INSTRUMENTS as SCALES

Texts = Callable[[str], list[str]]
SEPARATORS = " ._-"
NUMBER_ROLES = ("week", "day", "age", "stop_day", "rescue_day")
SHOWN = 4


@dataclass(frozen=True)
class Found:
    """A column and the role it seems to play; a `*` in the name stands for visits, whose labels are `labels`."""

    role: str
    column: str
    note: str = ""
    labels: tuple[str, ...] = ()

    @property
    def guess(self) -> Guess:
        """The line of the parameter file."""
        return Guess(("columns", self.role), self.column, self.note)


def propose_columns(header: Sequence[str], texts: Texts, known: Mapping[str, str]) -> list[Found]:
    """The role of every column that can be told; `known` are columns whose role the system that wrote them fixes."""
    found = [Found(role, column) for role, column in known.items()]
    free = [name for name in header if name not in known.values()]
    parts = {part: name for part in PARTS for name in free if plain(name) == plain(part)}
    if {*EASI_PARTS} <= parts.keys() or {*SCORAD_PARTS} <= parts.keys():
        found += [Found(part, name) for part, name in parts.items()]
        free = [name for name in free if name not in parts.values()]
    for role, words in {**ROLES, **INSTRUMENTS}.items():
        if role in known:
            continue
        alike = [name for name in free if plain(name) in words and _holds(role, texts(name))]
        if alike:
            found.append(Found(role, alike[0], _others(alike[1:])))
            free.remove(alike[0])
        elif role in (*INSTRUMENTS, "date") and (wide := _by_visit(role, words, free, texts)):
            found.append(wide)
            free = [name for name in free if starred(wide.column, name) is None]
        elif near := _containing(role, words, free, texts):
            found.append(near)
            free.remove(near.column)
    return _one_time(found)


def _holds(role: str, cells: list[str]) -> bool:
    """Whether a column holds what its role needs."""
    if role in DATE_ROLES:
        return is_date_like(cells)
    if role in NUMBER_ROLES or role in INSTRUMENTS:
        return mostly_numbers(cells)
    return bool(filled(cells))


def _others(names: Sequence[str]) -> str:
    return f"or is it {' or '.join(quoted(name) for name in names)}?" if names else ""


def _by_visit(role: str, words: Iterable[str], free: Sequence[str], texts: Texts) -> Found | None:
    """Columns that differ only in the visit their name ends in."""
    stems: dict[str, list[str]] = {}
    for name in free:
        for end in range(len(name) - 1, 0, -1):
            stem = name[:end]
            if plain(stem) in words and _holds(role, texts(name)):
                separators = len(name[end:]) - len(name[end:].lstrip(SEPARATORS))
                stems.setdefault(name[: end + separators], []).append(name[end + separators :])
                break
    groups = [(stem, labels) for stem, labels in stems.items() if len(labels) > 1]
    if not groups:
        return None
    stem, labels = max(groups, key=lambda group: len(group[1]))
    others = [f"{other}*" for other, _ in groups if other != stem]
    shared = _shared_start(labels)
    return Found(role, f"{stem}{shared}*", _others(others), tuple(label[len(shared) :] for label in labels))


def _shared_start(labels: Sequence[str]) -> str:
    """What all labels begin with, up to a separator."""
    alike = 0
    for letters in zip(*labels, strict=False):
        if len({*letters}) > 1:
            break
        alike += 1
    start = labels[0][:alike]
    return start[: max(start.rfind(sign) for sign in SEPARATORS) + 1]


def _containing(role: str, words: Iterable[str], free: Sequence[str], texts: Texts) -> Found | None:
    """A column with a telling word among others in its name."""
    telling = [word for word in words if len(word) > 2] if role in INSTRUMENTS else TELLING.get(role, ())
    near = [
        name
        for name in free
        if any(re.search(rf"\b{re.escape(word)}\b", plain(name)) for word in telling) and _holds(role, texts(name))
    ]
    return Found(role, near[0], _others(near[1:]) or "by part of its name") if near else None


def _one_time(found: list[Found]) -> list[Found]:
    """One column that says which visit a row is, and one that says when it was; none by row in a wide file."""
    roles = {one.role: one for one in found}
    out = set()
    if any(one.labels for one in found):
        out |= {one.role for one in found if one.role in TIME_ROLES and not one.labels}
        out |= {one.role for one in found if one.role in INSTRUMENTS and not one.labels}
    for first, second in (("visit", "week"), ("date", "day")):
        if {first, second} <= roles.keys():
            out.add(second)
    return [one for one in found if one.role not in out]


def out_of_range(found: Found, cells: Iterable[str], missing: Iterable[str]) -> str:
    """A note when scores lie outside the range of their instrument."""
    scale, skipped = SCALES[found.role], {*missing}
    odd = [
        cell
        for cell in distinct(list(cells))
        if cell not in skipped and NUMBER.fullmatch(cell) and scale.out_of_range(float(cell.replace(",", "."))).any()
    ]
    shown = ", ".join(odd[:SHOWN]) + (" ..." if len(odd) > SHOWN else "")
    return f"{scale.label} runs from {scale.minimum:g} to {scale.maximum:g}, but there is {shown}" if odd else ""
