"""Latent courses: simulated groups are found, and data that carry none say so."""

import numpy as np
import pandas as pd
import pytest

from easitrace.report import prose
from easitrace.response import latent

WEEKS = (0, 4, 8, 12, 16)
FALLING, STEADY = np.array([3.0, 1.6, 1.2, 1.0, 0.9]), np.full(5, 3.0)


def rows(weeks: tuple[int, ...] = WEEKS, n: int = 60) -> pd.DataFrame:
    """Every third patient stays where he was; the others fall; log(1 + score)."""
    rng = np.random.default_rng(8)
    parts = []
    for i in range(n):
        course = (STEADY if i % 3 == 0 else FALLING)[: len(weeks)]
        y = course + 0.3 * rng.standard_normal() + 0.25 * rng.standard_normal(len(weeks))
        parts.append(pd.DataFrame({"patient": f"P{i:02d}", "week": weeks, "y": y}))
    table = pd.concat(parts, ignore_index=True)
    labels = [f"week {week}" for week in weeks]
    table["visit"] = pd.Categorical("week " + table["week"].astype(str), labels, ordered=True)
    return table


@pytest.fixture(scope="module")
def search() -> latent.Search:
    return latent.search_classes(rows(), max_classes=3, starts=20, seed=4)


def test_two_simulated_groups_are_found(search: latent.Search) -> None:
    assert search.best is not None and search.best.classes == 2
    assert sorted(search.best.sizes["patients"]) == [20, 40]
    means = latent.course_of_classes(search.best, rows(), "log1p").query("week == 16").set_index("class")
    assert means["mean"].tolist() == pytest.approx(np.expm1([0.9, 3.0]), rel=0.2)
    assert (means["lower"] < means["mean"]).all() and (means["mean"] < means["upper"]).all()


def test_agreement_counts_every_patient_once(search: latent.Search) -> None:
    assert search.best is not None
    names = [f"P{i:02d}" for i in range(60)]
    classes = pd.DataFrame(
        {"patient": names, "class": ["non-responder" if i % 3 == 0 else "responder" for i in range(60)]}
    )
    table = latent.agreement(search.best, classes).set_index("class")
    assert table.loc["responder"].tolist() == [40, 0] and table.loc["non-responder"].tolist() == [0, 20]


def test_three_visits_do_not_carry_three_classes() -> None:
    search = latent.search_classes(rows(WEEKS[:3]), max_classes=3, starts=5, seed=4)
    assert search.fits[2].status == "not identifiable"
    assert "not identifiable" in prose.unfitted(search.fits)


def test_the_verdict_says_what_was_found(search: latent.Search) -> None:
    assert "no number of classes" in prose.latent_verdict(None)
    assert "no reason" in prose.latent_verdict(search.fits[0])
    assert "{n_latent:d}" in prose.latent_verdict(search.best)
