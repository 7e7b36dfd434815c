"""Whether the answer of the first page holds, worked out by hand."""

from typing import Any, get_args

import pytest

from easitrace.report.prose import over_analyses, robustness_template
from easitrace.report.style import Style
from easitrace.response.estimands import Estimand

FIGURES = ("change", "change_lower", "change_upper", "share", "share_lower", "share_upper", "n")
OBSERVED = (-30.0, -45.0, -10.0, 0.4, 0.2, 0.6, 18)
NRI = (None, None, None, 0.3, 0.15, 0.5, 22)
LOCF = (-25.0, -41.0, 2.0, 0.19, 0.1, 0.4, 22)
MI = (-31.0, -47.0, -9.0, 0.37, 0.2, 0.58, 25)
COMPOSITE = (-20.0, -35.0, -4.0, 0.28, 0.12, 0.5, 22)


def numbers(**changed: tuple[Any, ...]) -> dict[str, Any]:
    """Every estimand alike, but for the rows that are named `estimand_rule`."""
    rules = {"observed": OBSERVED, "nri": NRI, "locf": LOCF, "mi": MI}
    rows = {f"{name.replace('-', '_')}_{rule}": row for name in get_args(Estimand) for rule, row in rules.items()}
    named = {key: dict(zip(FIGURES, row, strict=True)) for key, row in (rows | changed).items()}
    return {f"{name}_{key}": value for key, row in named.items() for name, value in row.items()}


def said(held: dict[str, Any]) -> str:
    return Style().fill(robustness_template(held), {**held, "choice": "the choice", "unit": " points"})


def test_estimands_with_the_same_results_count_once() -> None:
    held = over_analyses(numbers(composite_observed=COMPOSITE), "while-on-treatment", "observed")
    assert (held["n_changes"], held["n_shares"]) == (6, 8)
    assert (held["change_least"], held["change_most"]) == (-31.0, -20.0)
    assert (held["share_least"], held["share_most"]) == (0.19, 0.4)
    assert (held["side"], held["n_same"]) == (-1, 4)
    assert held["n_inside"] == 6
    assert "depends on the estimand" in said(held)
    assert "in 4 of them its interval lies below zero" in said(held)
    assert "6 of them lie within the interval of this report's choice, 20% to 60%." in said(held)


def test_a_choice_whose_interval_includes_zero_is_compared_as_such() -> None:
    held = over_analyses(numbers(), "composite", "locf")
    assert (held["n_changes"], held["side"], held["n_same"]) == (3, 0, 1)
    assert "in 1 of them its interval includes zero" in said(held)


def test_a_rule_without_scores_leaves_the_change_to_the_recorded_ones() -> None:
    held = over_analyses(numbers(), "hypothetical", "nri")
    assert (held["side"], held["n_same"]) == (-1, 2)
    assert (held["own_share_lower"], held["n_inside"]) == (0.15, 4)
    assert "the choice, whose rule leaves the change to the recorded scores." in said(held)


def test_one_answer_everywhere_holds() -> None:
    sure = {f"{name.replace('-', '_')}_locf": MI for name in get_args(Estimand)}
    assert "holds under every estimand" in said(over_analyses(numbers(**sure), "composite", "mi"))


@pytest.mark.parametrize("found", [{}, {"unseen": "nothing"}])
def test_without_results_that_is_said(found: dict[str, Any]) -> None:
    assert said(over_analyses(found, "composite", "mi")).startswith("No analysis")


def test_a_change_that_is_not_estimable_leaves_the_share() -> None:
    lost = {key: value for key, value in numbers().items() if not key.startswith("change")}
    assert said(over_analyses(lost, "composite", "mi")).startswith("The proportion of responders runs from 19% to 40%")
