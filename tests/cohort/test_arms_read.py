"""The arms of a trial: their order and names, what each of them is given, and what does not divide the patients."""

from typing import Any

import pandas as pd
import pytest

from easitrace.cohort.arms import all_together, arms_and_all, by_arm, each_arm, model_covariates, visits_by_arm
from easitrace.cohort.cohort import Cohort
from easitrace.errors import DataError, ParameterError

HEAD = "patient,visit,easi,group,site\n"
ROWS = HEAD + "A,baseline,10,drug,1\nA,week 4,5,drug,1\nB,baseline,20,control,2\nC,baseline,30,drug,\n"
EVENTS = "patient,name,day\nA,acne,3\nB,flu,4\n"
TWO: dict[str, Any] = {"arm": "group", "reference_arm": "drug"}


def of_groups(*groups: str) -> str:
    """A file with a patient of each of these groups."""
    return HEAD + "".join(f"P{number:02},baseline,10,{group},1\n" for number, group in enumerate(groups))


def count(part: Cohort, times: int = 1, *, name: str = "n") -> pd.DataFrame:
    return pd.DataFrame({name: [times * len(part.patients)], "rows": [len(part.visits)]})


@pytest.fixture
def two(read, tmp_path) -> Cohort:
    (tmp_path / "events.csv").write_text(EVENTS)
    columns = {"visit": "visit", "site": "site", "event": "name", "event_day": "events.csv:day"}
    return read(ROWS, event_data=tmp_path / "events.csv", columns=columns, strata=["site"], **TWO)


def test_the_reference_is_first_and_strata_are_words(two: Cohort) -> None:
    assert two.arms == ("drug", "control")
    assert two.patients["arm"].cat.categories.tolist() == ["drug", "control"]
    assert two.patients["arm"].tolist() == ["drug", "control", "drug"] and "group" not in two.patients
    assert two.patients["site"].fillna("-").tolist() == ["1", "2", "-"]
    assert model_covariates(two, ["age"], ["site"]) == ["age", "site", "arm"]
    assert visits_by_arm(two)["arm"].tolist() == ["drug", "drug", "control", "drug"]


def test_each_arm_is_a_cohort_with_its_own_patients_visits_and_events(two: Cohort) -> None:
    parts = each_arm(two)
    assert list(parts) == ["drug", "control"]
    assert [part.patients["patient"].tolist() for part in parts.values()] == [["A", "C"], ["B"]]
    assert [part.visits["easi"].tolist() for part in parts.values()] == [[10, 5, 30], [20]]
    assert [part.events["event"].tolist() for part in parts.values()] == [["acne"], ["flu"]]
    assert all(part.arms == () and "arm" not in part.patients for part in parts.values())


def test_tables_of_the_arms_stand_one_below_the_other(two: Cohort) -> None:
    table = by_arm(count, two, 10, name="patients")
    assert table.to_dict("list") == {"arm": ["drug", "control"], "patients": [20, 10], "rows": [3, 1]}
    table = arms_and_all(count, two, 10, name="patients")
    assert table["arm"].tolist() == ["drug", "control", "All"] and table["patients"].tolist() == [20, 10, 30]


def test_a_cohort_without_arms_stays_as_it_is(read, two: Cohort) -> None:
    one = read(ROWS)
    assert one.arms == () and each_arm(one) == {} and all_together(one) is one
    assert model_covariates(one, ["age"]) == ["age"] and visits_by_arm(one) is one.visits
    for compute in (by_arm, arms_and_all):
        assert compute(count, one, 2).to_dict("list") == {"n": [6], "rows": [4]}
    together = all_together(two)
    assert together.arms == () and "arm" not in together.patients and len(together.patients) == 3


def test_numbers_are_arms_without_their_decimals_and_no_events_stay_none(read) -> None:
    cohort = read(of_groups("1.0", "2.50", "1"), columns={"visit": "visit", "group": "group"}, arm="group",
                  reference_arm="2.5")  # fmt: skip
    assert cohort.arms == ("2.5", "1")
    assert all(part.events.empty for part in each_arm(cohort).values())


@pytest.mark.parametrize(
    ("groups", "arguments", "error", "problems"),
    [
        ("ab", {"reference_arm": "d"}, ParameterError, ["E106 reference_arm: d is no level of group; choose one of"]),
        ("ab", {"reference_arm": None}, ParameterError, ["E104 reference_arm: required with arm; choose one of a, b"]),
        ("ab", {"arm": "grp"}, DataError, ['E211 cohort.csv row 1: there is no column "grp"; near']),
        ("ab", {"arm": "easi", "reference_arm": "10"}, ParameterError, ["E106 arm: easi is no patient-level column; "]),
        (["a", "", "b", ""], {}, DataError, ["E228 column group: patient P01 has no arm; fill it in",
                                             "E228 column group: patient P03"]),
        ("aaa", {}, DataError, ["E229 column group: has 1 different values; give 2 to 6 arms"]),
        ("abcdefg", {}, DataError, ["E229 column group: has 7 different values; give 2 to 6 arms"]),
        (["a", "A "], {}, DataError, ["E229 column group: has values that are hard to tell apart: A, a; give"]),
        (["a", "ALL"], {}, DataError, ["E229 column group: has an arm called All, as all arms together"]),
        (["a", "+"], {}, DataError, ["E229 column group: has values that are hard to tell apart: +, a; give"]),
    ],
)  # fmt: skip
def test_what_does_not_divide_the_patients_is_refused(
    read, groups: list[str], arguments: dict[str, Any], error: type[Exception], problems: list[str]
) -> None:
    with pytest.raises(error) as raised:
        read(of_groups(*groups), **{"arm": "group", "reference_arm": "a", **arguments})
    found = [str(one) for one in raised.value.problems]
    assert [one[: len(start)] for one, start in zip(found, problems, strict=True)] == problems


def test_as_many_arms_as_there_may_be(read) -> None:
    assert len(read(of_groups(*"abcdef"), arm="group", reference_arm="f").arms) == 6
