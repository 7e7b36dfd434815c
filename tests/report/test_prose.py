"""Sentences, captions and notes are made from results."""

from dataclasses import replace

import pandas as pd

from easitrace import read_cohort
from easitrace.instruments import declare_instrument
from easitrace.models.crosscheck import CrossCheck
from easitrace.report import prose
from easitrace.report.style import Style

COHORT = read_cohort("baricitinib")


def test_a_small_difference_is_a_power_of_ten() -> None:
    assert prose.below(3.2e-4) == "below 10⁻³"
    assert prose.below(3.2e-8) == prose.below(0.0) == "below 10⁻⁶"


def test_a_second_program_that_fails_is_said_to_have_failed() -> None:
    failed = CrossCheck(float("nan"), float("nan"), 0.4, (), "Singular matrix")
    assert "could not fit" in prose.crosscheck_sentence(failed, Style())
    negative = CrossCheck(0.01, 0.1, -0.2, ())
    assert "two differ" in prose.crosscheck_sentence(negative, Style())


def test_names_in_a_list() -> None:
    assert [prose.joined(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_the_flow_in_words_adds_up() -> None:
    counts = pd.DataFrame(
        [("baseline", "seen", "", 25), ("week 12", "seen", "", 18), ("week 12", "stopped", "side effects", 7)],
        columns=["visit", "state", "reason", "n"],
    )
    sentence = prose.flow_sentence(counts)
    assert sentence == "Of 25 patients, at baseline: 25 seen; week 12: 18 seen, 7 stopped (side effects)."


def test_what_nobody_published_is_marked_in_table_1() -> None:
    note = prose.baseline_note(COHORT, "weibull")
    assert "SPSS" in note and "sex" in note and "POEM" in note and "age" not in note.split("silent:")[1]


def test_numbers_have_names() -> None:
    table = pd.DataFrame({"visit": ["week 12"], "median": [9.6]})
    assert prose.number_keys(table, "visit", {"median": "median"}) == {"median_week_12": 9.6}


def test_the_better_side_follows_the_instrument() -> None:
    better = {"name": "easi", "label": "Well-being", "minimum": 0, "maximum": 72, "grid": 0.1, "better": "higher"}
    assert prose.better_side(COHORT) == "below"
    assert prose.better_side(replace(COHORT, declared=declare_instrument(better))) == "above"


def test_an_interval_that_ends_at_zero_beside_a_small_p_is_explained() -> None:
    changes = pd.DataFrame({"method": "exact", "lower": [-5.0, -3.0], "upper": [0.0, 1.5], "p": [0.042, 0.31]})
    assert "end at zero" in prose.paired_note(changes)
    assert "end at zero" not in prose.paired_note(changes.assign(p=[0.071, 0.31]))
    assert "end at zero" not in prose.paired_note(changes.assign(upper=[-0.5, 0.0]))


def test_studies_of_one_source_share_it() -> None:
    context = pd.DataFrame({"study": ["A1", "A2", "B", "A1"], "source": ["doi 7", "doi 7", "doi 9", "doi 7"]})
    assert prose.context_caption("Median EASI", context).endswith("A1 and A2: doi 7; B: doi 9.")
