"""The references of a report: read strictly, numbered as they are first cited, printed as medical journals do."""

import re
from pathlib import Path

import pytest

from easitrace.report.references import (
    BIBLIOGRAPHY,
    bibliography,
    cited_keys,
    numbered,
    read_bibtex,
    reference_list,
    vancouver,
    write_bibtex,
)

ENTRY = "@article{a2001,\n  author = {Doe, J and Roe, R},\n  title = {On skin},\n  year = {2001},\n}\n"
TEXT = "First [@rubin1987], then two [@liang1986; @rubin1987]."


def test_every_entry_of_our_file_is_read_and_none_has_an_invented_looking_gap() -> None:
    entries = bibliography()
    assert len(entries) == BIBLIOGRAPHY.read_text(encoding="utf-8").count("\n@") + 1 > 30
    for key, entry in entries.items():
        assert key == "dewijs" or "year" in entry or entry.get("note") == "Software", key
        assert not re.search(r"[{}\\]|--", vancouver(entry)), key


@pytest.mark.parametrize(
    "text",
    [
        ENTRY.replace("@article", "@journal"),
        ENTRY.replace("  year", "  yaer"),
        ENTRY.replace("  title = {On skin},\n", ""),
        ENTRY + "\n" + ENTRY,
        ENTRY.replace("2001},", "2001}"),
        ENTRY + "\nleft over",
    ],
    ids=["type", "field", "title", "twice", "comma", "rest"],
)
def test_a_file_that_is_not_as_ours_is_refused(text: str) -> None:
    assert read_bibtex(ENTRY)["a2001"]["year"] == "2001"
    with pytest.raises(ValueError, match=r"BibTeX|twice"):
        read_bibtex(text)


def test_citations_are_numbered_by_their_first_place() -> None:
    assert cited_keys(TEXT) == ["rubin1987", "liang1986"]
    assert re.sub(r"\(#[^)]*\)", "", numbered(TEXT)) == "First [[1]], then two [[2],[1]]."
    first, second = reference_list(TEXT).splitlines()
    assert first.startswith("1. Rubin DB. Multiple imputation") and second.startswith("2. Liang KY, Zeger SL.")


def test_an_unknown_citation_is_an_error() -> None:
    with pytest.raises(KeyError, match="nobody1900"):
        numbered("By [@nobody1900].")


def test_a_reference_is_printed_as_medical_journals_do() -> None:
    known = bibliography()
    assert vancouver(known["kenward1997"]) == (
        "Kenward MG, Roger JH. Small sample inference for fixed effects from restricted maximum likelihood. "
        "Biometrics. 1997;53:983\u2013997."
    )
    assert vancouver(known["rubin1987"]).endswith("New York: Wiley; 1987.")
    assert vancouver(known["debruinweller2021"]).startswith("De Bruin-Weller M, et al. Treat-to-target")
    assert vancouver(known["debruinweller2021"]).endswith("2021;101. doi:10.2340/00015555-3751")
    seven = {"author": " and ".join(f"Name{n}, A" for n in range(7)), "title": "Why?", "journal": "J", "year": "1999"}
    assert "Name5 A, et al. Why? J. 1999." in vancouver(seven) and "Name6" not in vancouver(seven)


def test_the_cited_ones_are_written_beside_the_report(tmp_path: Path) -> None:
    write_bibtex(TEXT, None)
    write_bibtex(TEXT, tmp_path)
    again = read_bibtex((tmp_path / "references.bib").read_text(encoding="utf-8"))
    assert list(again) == ["rubin1987", "liang1986"] and again["rubin1987"] == bibliography()["rubin1987"]
