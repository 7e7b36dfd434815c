"""The references of a report: a BibTeX file, numbered in the order in which a text cites them (Vancouver).

A text cites by `[@key]` or `[@key; @other]`; `numbered` puts linked numbers in their place.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

BIBLIOGRAPHY = Path(__file__).with_name("references.bib")
FILE = "references.bib"
LIST = "section-00_summary-references"
CITED = re.compile(r" ?(?<!\\)\[(@[a-z0-9]+(?:; @[a-z0-9]+)*)\]")
ENTRY = re.compile(r"@(article|book|inproceedings|misc)\{([a-z0-9]+),\n((?:  [a-z]+ = \{.*\},\n)+)\}\n")
FIELD = re.compile(r"  ([a-z]+) = \{(.*)\},\n")
FIELDS = {"author", "title", "journal", "booktitle", "publisher", "address", "year", "volume", "pages", "doi"} | {
    "note",
    "url",
}
ACCENTS = {r"{\'e}": "\u00e9", r"{\o}": "\u00f8", "--": "\u2013"}
MOST_AUTHORS = 6
Entry = Mapping[str, str]


@cache
def bibliography() -> dict[str, Entry]:
    """The references the package knows, by key: fields, and the whole entry under `bibtex`."""
    return read_bibtex(BIBLIOGRAPHY.read_text(encoding="utf-8"))


def read_bibtex(text: str) -> dict[str, Entry]:
    """Entries of a BibTeX file, by key.

    Only what our own file needs: one field to a line, values in braces, entries apart by an empty line.

    Raises
    ------
    ValueError
        When a part of the text is no such entry, a key comes twice, or a field is unknown.
    """
    entries: dict[str, Entry] = {}
    for block in text.split("\n\n"):
        match = ENTRY.fullmatch(f"{block.strip()}\n")
        if match is None:
            raise ValueError(f"not a BibTeX entry: {block[:60]!r}")
        _, key, lines = match.groups()
        fields = dict(FIELD.findall(lines))
        if key in entries or not {"author", "title"} <= set(fields) <= FIELDS:
            raise ValueError(f"{key} comes twice, has no author or title, or an unknown field")
        entries[key] = fields | {"bibtex": match[0]}
    return entries


def cited_keys(text: str) -> list[str]:
    """The keys a text cites, each once, in the order of their first citation."""
    return list(dict.fromkeys(key.removeprefix("@") for marks in CITED.findall(text) for key in marks.split("; ")))


def numbered(text: str) -> str:
    """The text with linked numbers in place of its citations.

    Raises
    ------
    KeyError
        When a key is not in the bibliography.
    """
    places = {key: number for number, key in enumerate(cited_keys(text), start=1)}
    unknown = sorted(places.keys() - bibliography().keys())
    if unknown:
        raise KeyError(f"not in {FILE}: {', '.join(unknown)}")

    def numbers(marks: re.Match[str]) -> str:
        links = [f"[{places[key.removeprefix('@')]}](#{LIST})" for key in marks[1].split("; ")]
        return f" [{','.join(links)}]"

    return CITED.sub(numbers, text)


def reference_list(text: str) -> str:
    """What a text cites, as a numbered list in Markdown."""
    entries = [vancouver(bibliography()[key]) for key in cited_keys(text)]
    return "\n".join(f"{number}. {entry}" for number, entry in enumerate(entries, start=1))


def write_bibtex(text: str, output: Path | None) -> None:
    """Write what a text cites to `references.bib` in the folder of the report; nothing without a folder."""
    if output is not None:
        entries = [bibliography()[key]["bibtex"] for key in cited_keys(text)]
        (output / FILE).write_text("\n".join(entries), encoding="utf-8", newline="\n")


def vancouver(entry: Entry) -> str:
    """One reference as medical journals print it; what is not known is left out."""
    place = entry.get("journal") or entry.get("booktitle") or ""
    publisher = ": ".join(entry[name] for name in ("address", "publisher") if name in entry)
    volume = "".join([entry.get("volume", ""), f":{entry['pages']}" if "pages" in entry else ""])
    dated = ";".join(filter(None, [entry.get("year", ""), volume]))
    issued = " ".join(filter(None, [_sentence(place), f"{publisher};" if publisher else "", _sentence(dated)]))
    doi = f"doi:{entry['doi']}" if "doi" in entry else ""
    parts = [_sentence(_authors(entry["author"])), _sentence(entry["title"]), issued]
    return _letters(" ".join(filter(None, [*parts, _sentence(entry.get("note", "")), doi or entry.get("url", "")])))


def _authors(field: str) -> str:
    """`Kenward MG, Roger JH`; after six names, or `and others`, `et al`."""
    if field.startswith("{"):
        return field.strip("{}")
    names = [name.replace(",", "") for name in field.split(" and ")]
    known = [name for name in names if name != "others"]
    more = len(known) < len(names) or len(known) > MOST_AUTHORS
    return ", ".join([*known[:MOST_AUTHORS], *(["et al"] if more else [])])


def _sentence(text: str) -> str:
    return text if not text or text.endswith(("?", ".")) else f"{text}."


def _letters(text: str) -> str:
    for written, letter in ACCENTS.items():
        text = text.replace(written, letter)
    return text
