"""The sensitivity chapter prints what was computed, and comes out when a model fails."""

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

from chapters import run_chapter
from easitrace import read_cohort
from easitrace.report import figures, prose, tables
from easitrace.report.style import Style
from easitrace.response.sensitivity import Plan, compare, distinct
from easitrace.response.tipping import floor_of_share, tipping, tipping_point

COHORT = read_cohort("baricitinib")
PLAN = Plan("easi50", 12, "log1p", (), "us", "kenward-roger", 0.95, "wilson", imputations=20, seed=1)
RESULTS = compare(COHORT, PLAN)
CHOSEN = {"estimand": "while-on-treatment", "missing": "mi"}
UNIT = "Change of 1 + score, %"


def words_of(figure: Any) -> str:
    import matplotlib as mpl

    buffer = StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "a"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def test_estimands_with_the_same_results_share_a_block() -> None:
    blocks = distinct(RESULTS)
    assert blocks["estimand"].unique().tolist() == ["treatment-policy; while-on-treatment; hypothetical", "composite"]
    assert len(blocks) == 8
    apart = RESULTS.assign(change=range(16))
    assert len(distinct(apart)) == 16


def test_the_forest_prints_every_row_with_its_n() -> None:
    text = words_of(figures.estimands_forest(distinct(RESULTS), CHOSEN, UNIT, Style()))
    assert text.count("n = 25") == 6 and text.count("n = 22") == 7 and text.count("n = 18") == 1
    assert text.count("no rule for scores") == 2 and UNIT in text
    assert "Treatment policy; while on treatment; hypothetical" in text


def test_the_forest_says_what_is_not_estimable() -> None:
    failed = RESULTS.copy()
    failed.loc[failed["missing"] == "mi", ["change", "share"]] = float("nan")
    assert words_of(figures.estimands_forest(failed, CHOSEN, UNIT, Style())).count("not estimable") == 8


def test_two_drawings_are_the_same() -> None:
    drawings = [words_of(figures.estimands_forest(distinct(RESULTS), CHOSEN, UNIT, Style())) for _ in range(2)]
    assert drawings[0] == drawings[1]


def test_the_table_says_what_is_not_estimable_and_what_the_rules_did() -> None:
    failed = RESULTS.copy()
    of_the_model = failed["missing"].isin(["observed", "mi"])
    failed.loc[of_the_model, "message"] = "not estimable because week 12 has no spread"
    markup = tables.estimands_table(failed, Style(), 0.95, UNIT).as_raw_html()
    assert markup.count("not estimable") == 16 and "22 (4)" in markup
    note = prose.estimands_note(failed, "wilson", 20)
    assert note.count("not estimable because week 12 has no spread") == 4


def test_the_choice_in_words() -> None:
    row = RESULTS[(RESULTS["estimand"] == "while-on-treatment") & (RESULTS["missing"] == "mi")].iloc[0]
    text = prose.chosen_sentence(RESULTS, CHOSEN, "log1p", Style())
    assert Style().number(row["change"]) in text and Style().percent(row["share"]) in text
    assert "all 6 different analyses" in text and "excludes zero" in text
    without_mean = prose.chosen_sentence(RESULTS, {**CHOSEN, "missing": "nri"}, "log1p", Style())
    assert "It gives a change" not in without_mean and "32% responders" in without_mean


def test_who_was_not_seen() -> None:
    text = prose.unseen_sentence(COHORT, 12)
    assert "18 of 25 patients" in text and "4 had stopped" in text and "and 3 are still in follow-up" in text
    assert "missed" not in text
    assert "No score was recorded after" in text


def test_the_tipping_point_is_printed_where_it_is() -> None:
    table = tipping(COHORT, "while-on-treatment", PLAN)
    point = tipping_point(table)
    said = prose.tipping_sentence(table, point, floor_of_share(table), "log1p", Style())
    assert f"the 4 scores imputed after stopping are worse by δ = {point:g} points" in said
    assert f"= {point:g}:" in words_of(figures.tipping_curve(table, point, UNIT, "EASI", Style()))
    never = prose.tipping_sentence(table, None, 5.0, "log1p", Style())
    assert "stays so up to the last" in never and "36 points" in never
    assert "nothing to make worse" in prose.tipping_sentence(table.assign(worsened=0), None, 0.0, "log1p", Style())


def test_the_chapter_comes_out_when_the_model_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from easitrace.response import sensitivity

    fitted = sensitivity.fit_mmrm

    def failing(*args: Any, **options: Any) -> Any:
        return replace(fitted(*args, **options), status="unidentified", message="week 12 was seen in 1 patient")

    monkeypatch.setattr(sensitivity, "fit_mmrm", failing)
    shown = run_chapter("08_sensitivity", monkeypatch)
    assert "not estimable because week 12 was seen in 1 patient" in shown
    assert "estimands_forest" in shown and 'id="08_sensitivity-tipping"' not in shown
    assert '"share_composite_nri": 0.318' in shown and '"change_composite_mi": null' in shown
