"""Marginal probabilities: exact identities, statsmodels by hand, published intervals, separated answers."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from easitrace.errors import ParameterError
from easitrace.models.marginal import is_separated, logit_interval, marginal_probabilities

ROLES = {"response": "r", "patient": "p", "visit": "v"}


def answers(n: int = 30, visits: tuple[int, ...] = (4, 12), seed: int = 1, missing: float = 0.2) -> pd.DataFrame:
    """Correlated answers, some of them missing, rows out of order."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=n)
    rows = [(f"P{i}", v, float(own[i] + rng.normal() > 0.2)) for v in visits for i in range(n)]
    frame = pd.DataFrame(rows, columns=["p", "v", "r"]).sample(frac=1, random_state=seed)
    frame.loc[rng.random(len(frame)) < missing, "r"] = np.nan
    return frame


@pytest.mark.parametrize("working", ["exchangeable", "independence"])
def test_the_interval_is_symmetric_on_the_logit_scale(working: str) -> None:
    table = marginal_probabilities(answers(), **ROLES, working=working, level=0.9)
    below = logit(table["probability"]) - logit(table["lower"])
    above = logit(table["upper"]) - logit(table["probability"])
    assert np.allclose(below, above, rtol=1e-10)
    assert np.allclose(above, 1.6448536269514722 * table["se"])


@pytest.mark.parametrize(("percent", "lower", "upper", "half"), [(73.0, 53.7, 86.3, 0.846), (69.4, 48.7, 84.4, 0.870)])
def test_the_intervals_of_the_bioday_registry_have_this_form(
    percent: float, lower: float, upper: float, half: float
) -> None:
    """Boesjes 2023, doi 10.2340/actadv.v103.5243, P(EASI <= 7) and P(itch <= 4) at week 16, printed to 0.1 %.

    The two intervals have half-widths of their own on the logit scale.
    """
    assert logit(upper / 100) - logit(percent / 100) == pytest.approx(half, abs=0.001)
    assert logit(percent / 100) - logit(lower / 100) == pytest.approx(half, abs=0.001)
    width = (logit(upper / 100) - logit(lower / 100)) / 2
    found = np.array(logit_interval(logit(percent / 100), width / 1.959963984540054, 0.95))
    assert np.abs(100 * found - [percent, lower, upper]).max() < 0.3


@pytest.mark.parametrize("working", ["exchangeable", "independence"])
def test_it_is_the_gee_of_statsmodels(working: str) -> None:
    from statsmodels.genmod.cov_struct import Exchangeable, Independence
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    frame = answers(visits=(4, 8, 12))
    complete = frame.dropna().sort_values(["p", "v"])
    structure = Exchangeable() if working == "exchangeable" else Independence()
    by_hand = GEE.from_formula("r ~ 0 + C(v)", "p", complete, family=Binomial(), cov_struct=structure).fit(
        cov_type="bias_reduced"
    )
    table = marginal_probabilities(frame, **ROLES, working=working)
    assert list(table["visit"]) == [4, 8, 12]
    assert np.allclose(table["estimate"], by_hand.params, atol=1e-6)
    assert np.allclose(table["se"], by_hand.bse, atol=1e-6)
    assert np.allclose(table[["lower", "upper"]], expit(by_hand.conf_int()), atol=1e-6)


def test_the_standard_error_of_one_visit_is_exact() -> None:
    """Leverage 1/n in every patient: Var(logit) = 1 / (n p q (1 - 1/n)^2)."""
    frame = pd.DataFrame({"p": range(24), "v": 4, "r": [1] * 11 + [0] * 13})
    (row,) = marginal_probabilities(frame, **ROLES).to_dict("records")
    p = 11 / 24
    assert row["probability"] == pytest.approx(p)
    assert row["se"] == pytest.approx(1 / np.sqrt(24 * p * (1 - p)) / (1 - 1 / 24))


@pytest.mark.parametrize(("working", "missing"), [("independence", 0.3), ("exchangeable", 0.0)])
def test_observed_proportions_where_they_must_be(working: str, missing: float) -> None:
    frame = answers(missing=missing)
    table = marginal_probabilities(frame, **ROLES, working=working).set_index("visit")
    assert np.allclose(table["probability"], frame.groupby("v")["r"].mean(), atol=1e-6)
    assert (table["responders"] / table["n"]).to_numpy() == pytest.approx(frame.groupby("v")["r"].mean().to_numpy())


def test_a_visit_without_a_finite_logit_is_said_and_does_not_touch_the_others() -> None:
    frame = answers(visits=(4, 8, 12))
    frame.loc[frame["v"] == 8, "r"] = frame.loc[frame["v"] == 8, "r"] * 0
    frame.loc[frame["v"] == 12, "r"] = frame.loc[frame["v"] == 12, "r"] * 0 + 1
    table = marginal_probabilities(frame, **ROLES).set_index("visit")
    alone = marginal_probabilities(frame[frame["v"] == 4], **ROLES).set_index("visit")
    numbers = ["estimate", "se", "probability", "lower", "upper"]
    assert table.loc[[8, 12], numbers].isna().all(axis=None)
    assert table.loc[8, "message"].startswith("none of ") and table.loc[12, "message"].startswith("all of ")
    assert np.allclose(table.loc[4, numbers].astype(float), alone.loc[4, numbers].astype(float))
    assert table.loc[4, "message"] == ""


def test_missing_answers_are_not_answers() -> None:
    frame = answers(missing=0.0).astype({"r": "boolean"})
    frame.loc[frame.index[:10], "r"] = pd.NA
    table = marginal_probabilities(frame, **ROLES)
    assert table["n"].sum() == len(frame) - 10


def test_separation_is_found() -> None:
    one = np.ones(6)
    x = np.array([1.0, 2, 3, 4, 5, 6])
    X = np.column_stack([one, x])
    assert is_separated(X, [0, 0, 0, 1, 1, 1])
    assert is_separated(np.column_stack([one, [1, 2, 3, 3, 4, 5]]), [0, 0, 0, 1, 1, 1])  # quasi-complete
    assert is_separated(X, np.zeros(6))
    assert not is_separated(X, [0, 1, 0, 1, 0, 1])
    assert not is_separated(np.column_stack([one, 1e6 * x]), [0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize("wrong", [{"working": "ar1"}, {"level": 95}, {"level": 0.4}])
def test_options_that_do_not_exist_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="E301"):
        marginal_probabilities(answers(), **ROLES, **wrong)  # type: ignore[arg-type]
