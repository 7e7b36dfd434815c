"""A proposed parameter file's content: what a look at the data file tells, what is unsure, what only a person knows."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from easitrace.cohort.findings import Findings, counted, quoted
from easitrace.cohort.formats.detect import by_ending
from easitrace.cohort.formats.options import Options
from easitrace.cohort.formats.source import read_source
from easitrace.cohort.formats.table import Table, as_text, is_text
from easitrace.cohort.layout import starred
from easitrace.cohort.profiles import PROFILES
from easitrace.cohort.profiles.adam import PARAMETER, VALUE
from easitrace.cohort.profiles.castor import is_missing
from easitrace.cohort.proposal.columns import Found, Texts, out_of_range, propose_columns
from easitrace.cohort.proposal.guess import Guess
from easitrace.cohort.proposal.schedule import propose_visits
from easitrace.cohort.proposal.vocabulary import INSTRUMENTS, VALUES, meaning_of, plain
from easitrace.cohort.proposal.writing import (
    as_texts,
    distinct,
    propose_date_format,
    propose_decimal,
    propose_missing,
)
from easitrace.cohort.roles import DATE_ROLES, EASI_PARTS
from easitrace.errors import DataError
from easitrace.instruments import INSTRUMENTS as SCALES

FEW = 12
NOT_UTF8 = "the bytes are not UTF-8; do letters with accents look right?"
ARMS = (
    "arm",
    "treatment",
    "treatment group",
    "trt",
    "trtp",
    "trta",
    "trt01p",
    "group",
    "groep",
    "behandeling",
    "gruppe",
)
SUGGESTED_WINDOWS = "suggested for weeks 4 and 12: [14, 42] and [56, 112]"


@dataclass(frozen=True)
class Proposal:
    """What was found in a file: the lines of a parameter file, and the columns that no line uses."""

    guesses: tuple[Guess, ...]
    unused: tuple[str, ...]


def propose(
    path: str | Path, file_format: str | None = None, sheet: str | None = None, header_row: int = 1
) -> Proposal:
    """Look at a data file.

    Parameters
    ----------
    path : str or Path
    file_format : str, optional
        The format, when the file's ending and content do not tell: csv, excel, ..., redcap, castor, adam.
    sheet : str, optional
        The sheet of a workbook that has several.
    header_row : int
        The row of the column names.

    Raises
    ------
    DataError
        When the file cannot be read at all.
    """
    table, reading = _opened(Path(path), file_format, Options(sheet=sheet, header_row=header_row))
    profile = file_format if file_format in PROFILES else _profile(table.header)
    if profile:
        reading = [guess for guess in reading if guess.key not in {("format",), ("delimiter",)}]
        reading.append(Guess(("format",), profile, "" if file_format else "by the names of its columns"))
    guesses, unused = _content(table, profile)
    return Proposal((*reading, *guesses), unused)


def _opened(path: Path, file_format: str | None, options: Options) -> tuple[Table, list[Guess]]:
    """The table, and what had to be said to read it."""
    plain_format = None if file_format in PROFILES else file_format
    said = [Guess(("format",), plain_format)] if plain_format and plain_format != by_ending(path) else []
    said += [Guess(("sheet",), options.sheet)] if options.sheet else []
    said += [Guess(("header_row",), options.header_row)] if options.header_row != 1 else []
    try:
        return read_source(path, plain_format, options, Findings(path.name))[0], said
    except DataError as error:
        if {problem.code for problem in error.problems} != {"E204"}:
            raise
    marked = path.read_bytes()[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    encoding, note = ("utf-16", "") if marked else ("cp1252", NOT_UTF8)
    table, _ = read_source(path, plain_format, replace(options, encoding=encoding), Findings(path.name))
    return table, [*said, Guess(("encoding",), encoding, note)]


def _profile(header: Sequence[str]) -> str | None:
    """The system that wrote the file, told by column names that only it uses."""
    signs = {
        "redcap": [{"redcap_event_name"}, {"redcap_repeat_instance"}, {"Event Name", "Repeat Instance"}],
        "castor": [
            {"Participant Id", "Participant Status"},
            {"Participant Id", "Report Name Custom"},
            {"Record Id", "Institute Abbreviation"},
        ],
        "adam": [{"USUBJID", PARAMETER, VALUE}],
    }
    return next((name for name, sets in signs.items() if any(s <= {*header} for s in sets)), None)


def _content(table: Table, profile: str | None) -> tuple[list[Guess], tuple[str, ...]]:
    cells: dict[str, list[str]] = {}
    columns = table.columns(table.header)

    def texts(name: str) -> list[str]:
        if name not in cells:
            column = as_texts(as_text(columns[name]))
            cells[name] = [("" if is_missing(cell) else cell) for cell in column] if profile == "castor" else column
        return cells[name]

    known = PROFILES[profile].roles(table.header) if profile else {}
    found = propose_columns(table.header, texts, known)
    if profile == "adam":
        found = [one for one in found if one.role not in INSTRUMENTS] + _parameters(texts)
    used = {name for one in found for name in _names(one, table.header)}
    written = [name for name in table.header if name in used and is_text(columns[name])]
    scores = [
        (texts(name), SCALES[one.role]) for one in found if one.role in SCALES for name in _names(one, table.header)
    ]
    missing = [] if profile == "castor" else propose_missing(scores)
    codes = [code for guess in missing for code in guess.value]
    guesses = [*_writing(found, written, texts, profile), *missing]
    guesses += [replace(one.guess, note=_note(one, table.header, texts, codes)) for one in found]
    if not {"easi", *EASI_PARTS} & {one.role for one in found}:
        guesses.append(
            Guess(("columns", "easi"), None, "no column looks like the total EASI; or choose another outcome")
        )
    guesses += [guess for one in found for guess in _recodes(one, table, texts)]
    guesses += [*_schedule(found, table, texts), *_arm(table.header, texts)]
    return guesses, tuple(name for name in table.header if name not in used)


def _names(one: Found, header: Sequence[str]) -> list[str]:
    return [name for name in header if name == one.column or starred(one.column, name) is not None]


def _note(one: Found, header: Sequence[str], texts: Texts, codes: Sequence[str]) -> str:
    odd = [out_of_range(one, texts(name), codes) for name in _names(one, header)] if one.role in SCALES else []
    return "; ".join(note for note in dict.fromkeys([one.note, *odd]) if note)


def _writing(found: Sequence[Found], written: Sequence[str], texts: Texts, profile: str | None) -> list[Guess]:
    """The decimal sign and the date format of what is text."""
    dates = [one.column for one in found if one.role in DATE_ROLES and one.column in written]
    numbers = [texts(name) for name in written if name not in dates]
    form = [] if profile == "castor" else propose_date_format(texts(name) for name in dates)
    return [*propose_decimal(numbers), *form]


def _parameters(texts: Texts) -> list[Found]:
    """ADaM: the parameters that are instruments, by their code."""
    found = []
    for code in distinct(texts(PARAMETER)):
        role = meaning_of(code, INSTRUMENTS)
        if role:
            found.append(Found(role, code))
    return found


def _recodes(one: Found, table: Table, texts: Texts) -> list[Guess]:
    """What the words of a column stand for, where only certain words are taken."""
    meanings = VALUES.get(one.role)
    if meanings is None or one.column not in table.header:
        return []
    labels = table.labels.get(one.column, {})
    words = [labels.get(word, word) for word in distinct(texts(one.column))]
    told = {word: meaning_of(word, meanings) for word in words}
    if all(meaning is None for meaning in told.values()) and one.role == "sex":
        return []
    if all(word in meanings for word in words):
        return []
    choices = ", ".join(meanings)
    return [
        Guess(("values", one.role, word), meaning, "" if meaning else f"one of {choices}, or nothing for missing")
        for word, meaning in told.items()
        if meaning != word
    ]


def _schedule(found: Sequence[Found], table: Table, texts: Texts) -> list[Guess]:
    labels = next((one.labels for one in found if one.labels and one.role in SCALES), ())
    if labels:
        return propose_visits(labels)
    told = next((one for one in found if one.role in ("visit", "week")), None)
    if told is not None:
        named = table.labels.get(told.column, {})
        return propose_visits(
            (named.get(word, word) for word in distinct(texts(told.column))), weeks=told.role == "week"
        )
    timed = next((one.role for one in found if one.role in ("date", "day")), None)
    if timed is None:
        return [Guess(("visits",), None, "nothing tells which visit a row belongs to: map visit, week, date or day")]
    return [
        Guess(("visits",), None, f"the file has only {timed}s: the planned visits, the baseline first"),
        Guess(("windows",), None, f"and the days that count for each; {SUGGESTED_WINDOWS}"),
    ]


def _arm(header: Sequence[str], texts: Texts) -> list[Guess]:
    for name in header:
        levels = distinct(texts(name)) if plain(name) in ARMS else []
        if 1 < len(levels) <= FEW:
            shown = ", ".join(quoted(level) for level in levels)
            what = f"column {quoted(name)} has {counted(len(levels), 'level')} ({shown})"
            return [Guess(("arm",), None, f"{what}: for a trial set arm and reference_arm")]
    return []
