"""Published figures carry their source, and agree with what can be computed from them."""

import numpy as np
import pytest

from easitrace.cohort.published_cohorts import COLUMNS, published_cohorts, published_course, published_shares

TABLE = published_cohorts()


def test_every_figure_has_a_source_and_a_place() -> None:
    assert tuple(TABLE.columns) == COLUMNS
    assert TABLE[["study", "week", "measure", "statistic", "value", "source"]].notna().all(axis=None)
    assert set(TABLE["statistic"]) == {"mean", "median", "sd", "percent", "count"}
    assert not TABLE.duplicated(["study", "drug", "week", "measure", "statistic"]).any()


def test_limits_lie_around_the_value_and_shares_within_their_range() -> None:
    limited = TABLE.dropna(subset=["lower", "upper"])
    assert len(limited) == 7
    assert ((limited["lower"] < limited["value"]) & (limited["value"] < limited["upper"])).all()
    assert TABLE.loc[TABLE["statistic"] == "percent", "value"].between(0, 100).all()
    counts = TABLE[TABLE["statistic"] == "count"]
    assert (counts["value"] <= counts["n"]).all()


def test_limits_of_biodays_percentages_are_symmetric_on_the_logit_scale() -> None:
    rows = TABLE[(TABLE["study"] == "BioDay 2023")].dropna(subset=["lower"])
    logit = {name: np.log(rows[name] / (100 - rows[name])) for name in ("lower", "value", "upper")}
    below, above = logit["value"] - logit["lower"], logit["upper"] - logit["value"]
    assert rows["measure"].tolist() == ["EASI <= 7", "itch NRS <= 4"]
    assert below.tolist() == pytest.approx([0.846, 0.870], abs=0.001)
    assert above.tolist() == pytest.approx([0.846, 0.870], abs=0.001)


def test_stops_of_bioday_add_up_to_its_fourteen_patients() -> None:
    stops = TABLE[TABLE["measure"].str.startswith("stopped")]
    assert [round(value * 47 / 100) for value in stops["value"]] == [4, 7, 3]


def test_severity_bands_of_the_registry_add_up() -> None:
    bands = TABLE[(TABLE["study"] == "TREATgermany") & (TABLE["statistic"] == "count")]
    sums = bands.groupby(bands["measure"].str.split(",").str[0])["value"].sum()
    assert sums.to_dict() == {"EASI": 1015, "POEM": 1014}


def test_courses_have_several_weeks_and_shares_are_percentages() -> None:
    assert published_course("EASI", "mean")["study"].unique().tolist() == ["Bosma 2020"]
    assert published_course("EASI", "median")["week"].tolist() == [0, 4, 16]
    shares = published_shares("EASI-75")
    assert shares.loc[shares["study"] == "Milan 2020", "value"].tolist() == pytest.approx([5400 / 117, 8500 / 117])
