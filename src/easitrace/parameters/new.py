"""A parameter file for a data file: what could be told from it, what is unsure, what is left to a person."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from easitrace.cohort.proposal.guess import Guess
from easitrace.cohort.proposal.proposal import Proposal
from easitrace.errors import MachineError, Problem

HEAD = """\
# Parameters of {name}, proposed from {data}.
# CHECK marks what is unsure, DECIDE what the file does not tell. `easitrace check` tells what is still missing;
# parameters/baricitinib.yml of the package lists every parameter with its meaning.

study: {name}
title: {name}  # DECIDE: the title of the report
data: {path}
"""
TAIL = """
# --- Response ---
# decision_week:  # DECIDE: the planned week at which response is judged{weeks}
# estimand:  # DECIDE: treatment-policy, while-on-treatment, composite or hypothetical
seed: 1
"""
CHECK, DECIDE = "CHECK", "DECIDE"
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
SECTIONS = (
    "format",
    "sheet",
    "header_row",
    "encoding",
    "decimal",
    "date_format",
    "missing_codes",
    "columns",
    "values",
    "visits",
    "windows",
    "arm",
)


def write_new(name: str, data: Path, proposal: Proposal, folder: Path) -> tuple[Path, list[str]]:
    """Write `<folder>/<name>.yml`.

    Returns
    -------
    path : Path
    open : list of str
        What a person must check or decide, one line each.

    Raises
    ------
    MachineError
        E604 when the file is there already, E602 when it cannot be written.
    """
    path = folder / f"{name}.yml"
    text = document(name, data, proposal, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            there = Problem("E604", str(path), "is there already", "choose another name, or remove it")
            raise MachineError(there) from None
        what = error.strerror or str(error)
        raise MachineError(Problem("E602", str(path), what, "give a folder that can be written")) from error
    return path, [line.strip("# ") for line in text.splitlines() if f"# {CHECK}" in line or f"# {DECIDE}" in line]


def document(name: str, data: Path, proposal: Proposal, folder: Path) -> str:
    """The text of the parameter file."""
    shown = os.path.relpath(data.resolve(), folder.resolve())
    head = HEAD.format(name=name, data=_comment(data.name), path=_scalar(Path(shown).as_posix()))
    lines = [line for section in SECTIONS for line in _section(section, proposal.guesses)]
    unused = (
        [f"# columns of the file that nothing uses: {_comment(', '.join(proposal.unused))}"] if proposal.unused else []
    )
    weeks = [guess.value for guess in proposal.guesses if guess.key[0] == "visits" and guess.value]
    tail = TAIL.format(weeks=f", {' or '.join(f'{week:g}' for week in weeks)}" if weeks else "")
    return "\n".join([head, *lines, *unused]) + "\n" + tail


def _section(name: str, guesses: Sequence[Guess]) -> Iterator[str]:
    own = [guess for guess in guesses if guess.key[0] == name]
    whole = [guess for guess in own if len(guess.key) == 1]
    parts = [guess for guess in own if len(guess.key) > 1]
    yield from (_line(guess, 0) for guess in whole)
    if not parts:
        return
    told = any(not guess.open for guess in parts)
    yield f"{name}:" if told else f"# {name}:"
    group = None
    for guess in parts:
        if len(guess.key) > 2 and guess.key[1] != group:
            group = guess.key[1]
            filled = any(not other.open for other in parts if other.key[1] == group)
            yield f"  {group}:" if filled else f"#   {group}:"
        yield _line(guess, len(guess.key) - 1)


def _line(guess: Guess, depth: int) -> str:
    key = _scalar(guess.key[-1]) if depth else guess.key[-1]
    value = "" if guess.open else f" {_value(guess.value)}"
    mark = DECIDE if guess.open else CHECK
    note = f"  # {mark}: {_comment(guess.note)}" if guess.note else ""
    indent = "  " * depth
    return f"# {indent}{key}:{note}" if guess.open else f"{indent}{key}:{value}{note}"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_scalar(str(item)) for item in value)}]"
    return f"{value:g}" if isinstance(value, float | int) else _scalar(value)


def _scalar(text: str) -> str:
    """Text as YAML reads it back: bare when nothing in it can be misread, else in double quotes."""
    bare = PLAIN.fullmatch(text) and text.lower() not in WORDS
    return text if bare else json.dumps(text, ensure_ascii=not text.isprintable())


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
