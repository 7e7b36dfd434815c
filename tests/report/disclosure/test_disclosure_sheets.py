"""What is told of a table, by kind of column."""

from pathlib import Path

import pandas as pd
import pytest

from easitrace.errors import DisclosureError
from easitrace.report.disclosure.derive import MASKED
from easitrace.report.disclosure.flow import flow_tables
from easitrace.report.disclosure.profiles import Interval, profile_named
from easitrace.report.disclosure.registry import SHAREABLE
from easitrace.report.disclosure.sheets import Sheets, shared_sheets
from easitrace.response.proportions import limits

SHARE_5 = profile_named("share-5")


def told(folder: Path, profile: str = "share-5", **tables: list[dict[str, object]]) -> Sheets:
    """Write tables, by name without their number's letter, and share them; the cohort has 63 patients."""
    baseline = [{"variable": "age", "level": "", "n": 63, "missing": 0, "median": 41.26, "q1": 30.4, "q3": 55.5}]
    rows = {"_01_cohort_baseline": [{**row, "count": None} for row in baseline], **tables}
    for name, content in rows.items():
        pd.DataFrame(content).to_csv(folder / f"{name[1:]}.csv", index=False)
    return shared_sheets(folder, profile_named(profile), Interval(level=0.9))


def test_percentages_and_intervals_are_those_of_the_told_counts(tmp_path: Path) -> None:
    at = {"criterion": "easi75", "visit": "week 12", "week": 12}
    table = told(tmp_path, _04_response_endpoints=[{**at, "responders": 23, "n": 58}]).tables["04_response_endpoints"]
    (row,) = table.to_dict("records")
    lower, upper = limits([25], [60], level=0.9, interval="wilson")
    assert (row["responders"], row["n"]) == (25, 60)
    assert row["proportion"] == pytest.approx(25 / 60, abs=0.005)
    assert (row["lower"], row["upper"]) == pytest.approx((lower[0], upper[0]), abs=0.005)


def test_quartiles_go_before_medians_and_these_before_estimates(tmp_path: Path) -> None:
    """In share-11 a median needs 22 patients and quartiles 44, also of the smallest number that is told alike."""
    numbers = {"median": 8.37, "q1": 4.11, "q3": 12.93}
    visits = [
        {"visit": f"week {week}", "week": week, "n": n, "missing": 63 - n, **numbers}
        for week, n in ((0, 48), (4, 44), (8, 26), (12, 22), (16, 13))
    ]
    means = [
        {"visit": row["visit"], "week": row["week"], "n": row["n"], "mean": 8.37, "lower": 6.6, "upper": 10.4}
        for row in visits
    ]
    tables = told(tmp_path, "share-11", _02_course_course=visits, _03_trajectory_mean_estimates=means).tables
    course = tables["02_course_course"]
    assert list(course["median"]) == [8.5, 8.5, 8.5, MASKED, MASKED]
    assert list(course["q1"]) == [4.0, MASKED, MASKED, MASKED, MASKED]
    assert list(tables["03_trajectory_mean_estimates"]["mean"]) == [8.5] * 5
    assert list(tables["03_trajectory_mean_estimates"]["upper"]) == [10.0] * 5


def test_contrasts_need_the_number_of_every_visit(tmp_path: Path) -> None:
    contrast = {"name": "week 4 v baseline", "estimate": -41.42, "lower": -55.3, "upper": -23.1, "p": 0.0312}

    def shared(n: int) -> pd.DataFrame:
        visits = [{"visit": f"{k}", "week": k, "n": k, "mean": 9.0, "lower": 8.0, "upper": 10.0} for k in (60, n)]
        sheets = told(tmp_path, _03_trajectory_mean_estimates=visits, _03_trajectory_contrasts=[contrast])
        return sheets.tables["03_trajectory_contrasts"]

    assert shared(31)[["estimate", "lower", "upper", "p"]].iloc[0].tolist() == [-41, -55, -23, 0.03]
    assert shared(3)[["estimate", "lower", "upper", "p"]].iloc[0].tolist() == [MASKED] * 4


def test_rare_and_strange_words_are_not_told(tmp_path: Path) -> None:
    levels = {"clinic A": 30, "=SUM(A1)": 22, "2024-03-05": 6, "Mrs Jansen": 2, "Mr Smit": 3}
    rows = [
        {"variable": "site", "level": level, "n": 63, "missing": 0, "count": count} for level, count in levels.items()
    ]
    baseline = told(tmp_path, _01_cohort_baseline=rows).tables["01_cohort_baseline"]
    assert list(baseline["level"]) == ["clinic A", "(text left out)", "(text left out)", "other"]
    assert list(baseline["count"]) == [30, 20, 5, 5]


def test_events_of_few_patients_are_left_out(tmp_path: Path) -> None:
    events = [{"event": name, "patients": k, "n": 63} for name, k in (("any event", 31), ("acne", 12), ("cough", 4))]
    table = told(tmp_path, _07_treatment_events=events).tables["07_treatment_events"]
    assert list(table["event"]) == ["any event", "acne"]


def test_time_on_treatment_is_told_over_weeks_in_which_enough_stopped(tmp_path: Path) -> None:
    """63 start; 2, 9, 3 and 8 stop and 1, 6, 5 and 7 are censored: told over 0-8 and 8-16 as 10/65/5 and 10/45/10."""
    weeks = [
        {"week": 0, "at_risk": 63, "stopped": 0, "censored": 0},
        {"week": 4, "at_risk": 60, "stopped": 2, "censored": 1},
        {"week": 8, "at_risk": 45, "stopped": 11, "censored": 7},
        {"week": 12, "at_risk": 37, "stopped": 14, "censored": 12},
        {"week": 16, "at_risk": 22, "stopped": 22, "censored": 19},
    ]
    table = told(tmp_path, _07_treatment_by_week=weeks).tables["07_treatment_by_week"]
    assert table[["from_week", "to_week"]].to_numpy().tolist() == [[0, 8], [8, 16]]
    assert table[["at_risk", "stopped", "censored"]].to_numpy().tolist() == [[65, 10, 5], [45, 10, 10]]
    first = 1 - 10 / (65 - 2.5)
    assert list(table["survival"]) == pytest.approx([first, first * (1 - 10 / (45 - 5))], abs=0.005)


def test_p_values_have_two_decimals(tmp_path: Path) -> None:
    rows = [
        {"name": name, "n_pairs": 40, "shift": -4.26, "lower": -7.4, "upper": -1.24, "p": p}
        for name, p in (("a", 0.00629425048828), ("b", 0.0153503417969), ("c", 0.4))
    ]
    table = told(tmp_path, _02_course_paired=rows).tables["02_course_paired"]
    assert list(table["p"]) == ["<0.01", 0.02, 0.4]
    assert list(table["shift"]) == [-4.5] * 3


def test_arms_add_up_to_the_cohort(tmp_path: Path) -> None:
    numbers = {"median": 8.0, "q1": 4.0, "q3": 12.0, "visit": "baseline", "week": 0}
    sizes = {"placebo": 60, "active": 3}
    people = [{"arm": arm, "variable": "age", "level": "", "n": n, "missing": 0} for arm, n in sizes.items()]
    arms = [{"arm": arm, "n": n, "missing": 0, **numbers} for arm, n in sizes.items()]
    sheets = told(tmp_path, _01_cohort_baseline=people, _02_course_course=arms)
    course = sheets.tables["02_course_course"]
    assert sheets.patients == 65
    assert list(course["arm"]) == ["placebo", "active"]
    assert course["n"].iloc[1] == MASKED
    assert course["median"].iloc[1] == MASKED


def test_arms_are_gated_with_all(tmp_path: Path) -> None:
    """The cohort is not counted twice for the rows of all arms, and an arm is not what is left of the cohort."""
    sizes = {"placebo": 40, "active": 23, "All": 63}
    people = [{"arm": arm, "variable": "age", "level": "", "n": n, "missing": 0} for arm, n in sizes.items()]
    at = {"criterion": "easi75", "visit": "week 12", "week": 12}
    both = {"responders": 13, "n": 21, "reference_responders": 2, "reference_n": 37, "proportion": 13 / 21}
    arms = [{**at, "arm": "active", "reference": "placebo", **both, "reference_proportion": 2 / 37}]
    numbers = {"n": 21, "n_reference": 37, "estimate": -4.13, "lower": -7.62, "upper": -0.64, "p": 0.0213}
    differences = [{"quantity": "score", "arm": "active", "reference": "placebo", "visit": "week 12", "week": 12}]
    sheets = told(
        tmp_path,
        _01_cohort_baseline=people,
        _03_trajectory_differences=[{**differences[0], **numbers}],
        _04_response_endpoints=[{**at, "responders": 15, "n": 58}],
        _04_response_endpoints_by_arm=arms,
    )
    assert sheets.patients == 65
    (row,) = sheets.tables["03_trajectory_differences"].to_dict("records")
    assert [row[name] for name in ("estimate", "lower", "upper", "p")] == [-4.1, -7.6, -0.64, 0.02]
    (row,) = sheets.tables["04_response_endpoints_by_arm"].to_dict("records")
    assert row["reference_responders"] == row["difference"] == MASKED
    pooled = sheets.tables["04_response_endpoints"].iloc[0]
    assert MASKED in (pooled["responders"], row["responders"]) or pooled["responders"] == row["responders"] == 15


def test_differences_of_arms_are_those_of_told_counts(tmp_path: Path) -> None:
    people = [{"arm": arm, "variable": "age", "level": "", "n": 40, "missing": 0} for arm in ("old", "new", "All")]
    people[-1]["n"] = 80
    at = {"criterion": "easi75", "visit": "week 12", "week": 12, "arm": "new", "reference": "old"}
    both = {"responders": 18, "n": 31, "reference_responders": 11, "reference_n": 29, "proportion": 0.4}
    rows = [{**at, **both, "reference_proportion": 0.3}]
    table = told(tmp_path, _01_cohort_baseline=people, _04_response_endpoints_by_arm=rows).tables
    row = table["04_response_endpoints_by_arm"].iloc[0]
    assert row[["responders", "n", "reference_responders", "reference_n"]].tolist() == [20, 30, 10, 30]
    assert row["difference"] == pytest.approx(20 / 30 - 10 / 30, abs=0.005)
    (low, high), (low_0, high_0) = zip(*limits([20, 10], [30, 30], level=0.9, interval="wilson"), strict=True)
    below = ((2 / 3 - low) ** 2 + (high_0 - 1 / 3) ** 2) ** 0.5
    above = ((high - 2 / 3) ** 2 + (1 / 3 - low_0) ** 2) ** 0.5
    assert row["difference_lower"] == pytest.approx(1 / 3 - below, abs=0.005)
    assert row["difference_upper"] == pytest.approx(1 / 3 + above, abs=0.005)


def test_imputed_responders_are_rounded_counts_without_an_interval(tmp_path: Path) -> None:
    """0.385 of 61 are 23.5 responders: told as 25 of 60; 0.07 of 61 are 4.3, masked."""
    at = {"missing": "mi", "visit": "week 12", "week": 12, "n": 61, "recorded_n": 47, "responders": None}
    shares = {"easi50": (0.385, 19), "easi90": (0.07, 6)}
    rows = [{**at, "criterion": k, "share": share, "recorded_responders": own} for k, (share, own) in shares.items()]
    table = told(tmp_path, _04_response_endpoints_by_rule=rows).tables["04_response_endpoints_by_rule"]
    assert table["responders"].tolist() == [25, MASKED]
    assert table["recorded_responders"].tolist() == [20, 5]
    assert table["proportion"].tolist() == [0.42, MASKED]
    assert table[["lower", "upper"]].isna().all(axis=None)


def test_the_flow_is_gated_with_the_cohort(tmp_path: Path) -> None:
    steps = [("patients read", 82, ""), ("patients analysed", 63, ""), ("rows read", 199, "")]
    states = {"seen": 40, "stopped": 3, "in follow-up": 0, "missed": 20}
    flow = pd.DataFrame([*steps, *((step, n, "week 4") for step, n in states.items())], columns=["step", "n", "detail"])
    told(tmp_path)
    tables = shared_sheets(tmp_path, SHARE_5, Interval(), flow_tables(flow)).tables
    assert tables["01_cohort_read"].iloc[0].tolist() == [80, 20, 65]
    assert tables["01_cohort_flow"].iloc[0].tolist() == ["week 4", 40, MASKED, 0, 20]


def test_tables_that_are_not_listed_are_named_and_left_out(tmp_path: Path) -> None:
    sheets = told(tmp_path, _09_patients_everyone=[{"patient": "A1", "easi": 7}])
    assert sheets.left_out == ("09_patients_everyone",)
    assert list(sheets.tables) == ["01_cohort_baseline"]


def test_a_table_that_is_not_as_listed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match=r"E503 table 02_course_course, column q3"):
        told(
            tmp_path, _02_course_course=[{"visit": "baseline", "week": 0, "n": 60, "missing": 3, "median": 1, "q1": 1}]
        )


def test_no_smallest_largest_or_telltale_column_is_listed() -> None:
    columns = {name for entry in SHAREABLE for name in entry.columns}
    assert not columns & {"minimum", "maximum", "patient", "df", "statistic", "achieved", "day", "date", "sd", "se"}
