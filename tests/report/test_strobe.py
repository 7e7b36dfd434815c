"""The reporting checklist: every item once, with a place in this report or what is left to the authors."""

import re
from pathlib import Path
from typing import Any

import pytest

from easitrace.report import tables
from easitrace.report.strobe import AUTHORS, ITEMS, checklist, left_to_authors

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PARTS = ["1a", "1b", "2", "3", "4", "5", "6a", "6b", "7", "8", "9", "10", "11", *(f"12{part}" for part in "abcde")]
PARTS += [*(f"{item}{part}" for item in (13, 14) for part in "abc"), "15", "16a", "16b", "16c"]
PARTS += [str(item) for item in range(17, 23)]


def chapter(title: str, figures: tuple[str, ...] = (), shown: tuple[str, ...] = ()) -> dict[str, Any]:
    kept = {"tables": [{"name": name} for name in shown], "figures": [{"name": name} for name in figures]}
    return {"title": title, "status": "complete", "numbers": {}, **kept}


CHAPTERS = {
    "01_cohort": chapter("The people", ("flow", "attendance"), ("baseline",)),
    "03_trajectory": chapter("The model", (), ("contrasts", "sensitivity")),
    "07_treatment": {"title": "Treatment", "status": "skipped", "reason": "Nobody stopped.", "numbers": {}},
}


def where(chapters: dict[str, Any] = CHAPTERS) -> dict[str, str]:
    table = checklist(chapters)
    return dict(zip(table["item"], table["where"], strict=True))


def test_every_item_of_the_cohort_checklist_is_there_once() -> None:
    assert [item.number for item in ITEMS] == PARTS
    assert len({int(re.sub(r"\D", "", number)) for number in PARTS}) == 22


def test_an_item_links_to_the_tables_and_figures_that_are_there() -> None:
    places = where()
    assert places["13c"] == "[Figure](#01_cohort-flow)" and places["14b"] == "[Table](#01_cohort-baseline)"
    assert places["5"].startswith("[The people](#01_cohort); for the authors to write: sites")
    assert places["12e"] == "[Table](#03_trajectory-sensitivity)"


def test_what_the_report_lacks_is_said() -> None:
    places = where()
    assert places["15"] == "Not in this report: Nobody stopped."
    assert places["16b"] == "Not in this report" and places["12b"] == "None was analysed"
    assert "07_treatment" not in " ".join(places.values())


def test_what_no_data_can_give_is_left_to_the_authors() -> None:
    for item in ("2", "3", "10", "20", "22"):
        assert where({})[item].startswith(AUTHORS.capitalize())
    assert left_to_authors() == sum(AUTHORS in place.lower() for place in where().values()) == 13


def test_subgroups_are_named_when_there_are_arms() -> None:
    arms = {**CHAPTERS, "03_trajectory": chapter("The model", (), ("differences",))}
    assert where(arms)["12b"] == "[Table](#03_trajectory-differences)"


def test_every_place_of_an_item_is_shown_by_some_chapter_of_ours() -> None:
    sources = {path.stem: path.read_text(encoding="utf-8") for path in NOTEBOOKS.glob("*.ipynb")}
    for place in (place for item in ITEMS for place in item.places):
        name, _, inside = place.partition("-")
        assert name in sources and (not inside or re.search(rf"\\\"{inside}\\\"", sources[name])), place


@pytest.mark.parametrize("text", ["Methods", "Limitations", "Results"])
def test_the_first_page_has_the_sections_that_are_linked(text: str) -> None:
    fixed = " ".join(item.fixed for item in ITEMS)
    stems = re.findall(rf"\[{text}\]\(#section-00_summary-([a-z-]+)\)", fixed)
    headings = re.findall(r'"## ([^"\\]+)', (NOTEBOOKS / "00_summary.ipynb").read_text(encoding="utf-8"))
    slugs = [re.sub(r"[^a-z0-9]+", "-", heading.lower()) for heading in headings]
    assert stems and set(stems) <= set(slugs)


def test_links_survive_in_the_table_and_text_does_not_become_markup() -> None:
    items = checklist({**CHAPTERS, "01_cohort": chapter("A <b>title</b>", ("flow",))})
    markup = tables.checklist_table(items).as_raw_html()
    assert '<a href="#01_cohort-flow">Figure</a>' in markup and "<b>" not in markup
