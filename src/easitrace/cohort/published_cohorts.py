"""Figures of published cohorts and trials, each with its source: context for a reader, never a comparison group."""

from importlib import resources

import pandas as pd

FILE = "published_cohorts.csv"
COLUMNS = ("study", "drug", "n", "week", "measure", "statistic", "value", "lower", "upper", "source")
NUMBERS = ("n", "week", "value", "lower", "upper")


def published_cohorts() -> pd.DataFrame:
    """Every published figure that ships with the package.

    Returns
    -------
    DataFrame
        `study`, `drug` ("" for a registry), `n` (patients, missing where not given), `week`, `measure`
        ("EASI", "EASI-75", "EASI <= 7", ...), `statistic` ("mean", "median", "sd", "percent", "count" of `n`),
        `value`, `lower`, `upper` (95 % CI of a mean or percentage, quartiles of a median; missing where not
        given), `source`.
    """
    path = resources.files("easitrace.cohort").joinpath("data", FILE)
    with path.open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype=dict.fromkeys(NUMBERS, "float64"), keep_default_na=False, na_values=[""])
    return table.assign(drug=table["drug"].fillna(""))


def published_course(measure: str, statistic: str) -> pd.DataFrame:
    """Published means or medians of a measure, of studies that have at least two weeks of it."""
    table = published_cohorts()
    rows = table[(table["measure"] == measure) & (table["statistic"] == statistic)]
    weeks = rows.groupby("study")["week"].transform("nunique")
    return rows[weeks > 1].reset_index(drop=True)


def published_shares(measure: str) -> pd.DataFrame:
    """Published proportions of a responder measure in percent; counts are turned into percentages of their n."""
    table = published_cohorts()
    rows = table[(table["measure"] == measure) & table["statistic"].isin(["percent", "count"])]
    percent = rows["value"].where(rows["statistic"] == "percent", 100 * rows["value"] / rows["n"])
    return rows.assign(value=percent, statistic="percent").reset_index(drop=True)
