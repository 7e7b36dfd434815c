"""Scores from their parts: against the sum by hand, by age, wide and long, beside recorded totals."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from easitrace.cohort.read import read_cohort
from easitrace.cohort.roles import EASI_AREAS, EASI_PARTS, EASI_SIGNS
from easitrace.errors import DataError, ParameterError

AREAS, SIGNS = [3, 2, 4, 2], [[2, 2, 1, 1], [1, 1.5, 0, 1], [3, 2, 2, 1], [1, 1, 1, 0.5]]
PARTS = dict(zip(EASI_PARTS, [*AREAS, *np.ravel(SIGNS)], strict=True))
SUMS = [3 * 6, 2 * 3.5, 4 * 8, 2 * 3.5]
ADULT = 0.1 * SUMS[0] + 0.2 * SUMS[1] + 0.3 * SUMS[2] + 0.4 * SUMS[3]
CHILD = 0.2 * SUMS[0] + 0.2 * SUMS[1] + 0.3 * SUMS[2] + 0.3 * SUMS[3]
COLUMNS = {role: role for role in EASI_PARTS}
WEIGHTS = {"age_group": "adult"}


def table(*rows, more=()):
    """A row per visit: patient, visit, further columns, then the parts as given or changed."""
    header = ",".join(["patient", "visit", *more, *EASI_PARTS])
    lines = []
    for patient, visit, *others, changes in rows:
        parts = [str(changes.get(role, value)) for role, value in PARTS.items()]
        lines.append(",".join([patient, visit, *map(str, others), *parts]))
    return "\n".join([header, *lines, ""])


def test_the_parts_are_twenty():
    assert len(EASI_AREAS) == 4 and len(EASI_SIGNS) == 16 and len(set(EASI_PARTS)) == 20
    assert abs(ADULT - CHILD) > 0.1


@pytest.mark.parametrize(("group", "score"), [("adult", ADULT), ("child", CHILD)])
def test_easi_is_the_weighted_sum_of_the_regions(read, group, score):
    cohort = read(table(("A", "baseline", {})), columns={"visit": "visit", **COLUMNS}, age_group=group)
    assert cohort.visits["easi"].tolist() == [pytest.approx(score, abs=1e-12)]
    assert [(p.code, p.what) for p in cohort.log] == [("F227", "1 score of the EASI computed from the parts")]


def test_the_weights_follow_the_age(read):
    text = table(("A", "baseline", 7, {}), ("B", "baseline", 8, {}), more=["age"])
    cohort = read(text, columns={"visit": "visit", "age": "age", **COLUMNS})
    assert cohort.visits["easi"].tolist() == [pytest.approx(CHILD), pytest.approx(ADULT)]
    with pytest.raises(DataError, match=r"E272 cohort\.csv row 3: the age is missing"):
        read(table(("A", "baseline", 7, {}), ("B", "baseline", "", {}), more=["age"]),
             columns={"visit": "visit", "age": "age", **COLUMNS})  # fmt: skip


def test_a_recorded_total_is_compared_and_kept_and_a_blank_one_filled_in(read):
    rows = [("A", "baseline", 20, {}), ("B", "baseline", f"{ADULT:.2f}", {}), ("C", "baseline", "", {})]
    cohort = read(table(*rows, more=["easi"]), columns={"visit": "visit", "easi": "easi", **COLUMNS}, **WEIGHTS)
    assert cohort.visits["easi"].tolist() == [20, pytest.approx(ADULT), pytest.approx(ADULT)]
    logged = {p.code: (p.where, p.what) for p in cohort.log}
    gap = f"{abs(20 - ADULT):g}"
    assert logged["W226"] == (
        "cohort.csv column easi",
        f"1 recorded score of the EASI not what the parts give, by up to {gap}; the recorded one is used (row 2)",
    )
    assert logged["F227"][1] == "1 score of the EASI computed from the parts, the total being blank (row 4)"


def test_the_signs_of_a_region_without_eczema_may_be_blank(read):
    clear = {"easi_head_area": 0, **dict.fromkeys([r for r in EASI_SIGNS if "_head_" in r], "")}
    cohort = read(table(("A", "baseline", clear)), columns={"visit": "visit", **COLUMNS}, **WEIGHTS)
    assert cohort.visits["easi"].tolist() == [pytest.approx(ADULT - 0.1 * SUMS[0])]


def test_parts_that_are_not_all_there_give_no_score(read):
    text = table(("A", "baseline", {}), ("A", "week 4", {"easi_trunk_induration": ""}))
    cohort = read(text, columns={"visit": "visit", **COLUMNS}, **WEIGHTS)
    assert len(cohort.visits) == 1
    assert [(p.code, p.what) for p in cohort.log if p.code != "F227"] == [
        ("W227", "1 row with some parts of the EASI but not all: none computed (row 3)"),
        ("F208", "1 row without any score left out (row 3)"),
    ]


@pytest.mark.parametrize(
    ("role", "value", "limits"),
    [
        ("easi_head_area", 7, "runs from 0 to 6 in steps of 1"),
        ("easi_head_area", 2.5, "in steps of 1"),
        ("easi_trunk_erythema", 3.5, "runs from 0 to 3 in steps of 0.5"),
        ("easi_trunk_erythema", -1, "out of range"),
        ("easi_lower_limbs_excoriation", 1.25, "steps of 0.5"),
    ],
)
def test_a_part_out_of_range_or_off_its_grid_is_an_error_at_its_cell(read, role, value, limits):
    with pytest.raises(DataError, match=rf"E217 cohort\.csv row 2, column {role}: .*{limits}"):
        read(table(("A", "baseline", {role: value})), columns={"visit": "visit", **COLUMNS}, **WEIGHTS)


def test_a_wide_file_may_have_parts(read):
    header = ["patient", *(f"{role}@{visit}" for visit in ("b", "w") for role in EASI_PARTS)]
    later = {**PARTS, "easi_trunk_area": 1}
    text = "\n".join([",".join(header), ",".join(["A", *map(str, [*PARTS.values(), *later.values()])]), ""])
    cohort = read(text, columns={role: f"{role}@*" for role in EASI_PARTS}, visits={"b": 0, "w": 4}, **WEIGHTS)
    assert cohort.visits["easi"].tolist() == [pytest.approx(ADULT), pytest.approx(ADULT - 0.3 * 3 * 8)]
    short = "\n".join(",".join(line.split(",")[:-1]) for line in text.split("\n"))
    with pytest.raises(DataError, match=r'E211 .*"easi_lower_limbs_lichenification@w"'):
        read(short, columns={role: f"{role}@*" for role in EASI_PARTS}, visits={"b": 0, "w": 4}, **WEIGHTS)


SCORAD = "patient,visit,a,b,c\nA,baseline,40,9,12.5\nA,week 4,10,3,\n"


def test_scorad_from_a_b_and_c_and_its_objective_part_without_c(read):
    columns = {"visit": "visit", "scorad_a": "a", "scorad_b": "b"}
    whole = read(SCORAD, columns={**columns, "scorad_c": "c"}, outcome="scorad")
    assert whole.visits["scorad"].tolist() == [pytest.approx(40 / 5 + 31.5 + 12.5)]
    assert whole.measured == ["scorad"]
    objective = read(SCORAD, columns=columns, outcome="oscorad")
    assert objective.visits["oscorad"].tolist() == [pytest.approx(39.5), pytest.approx(12.5)]
    both = read(SCORAD.replace(",c\n", ",c\n"), columns={**columns, "scorad_c": "c"}, outcome="oscorad")
    assert both.measured == ["oscorad", "scorad"]
    with pytest.raises(DataError, match=r"E217 .* row 2, column b: .*scorad_b runs from 0 to 18"):
        read(SCORAD.replace(",9,", ",19,"), columns=columns, outcome="oscorad")


@pytest.mark.parametrize(
    ("columns", "arguments", "message"),
    [
        (
            {"easi_head_area": "a"},
            WEIGHTS,
            r"E104 columns\.easi_upper_limbs_area: easi is computed from its parts, and these are not mapped: easi",
        ),
        (COLUMNS, {}, "E104 age_group: .*map age, or say adult"),
        (COLUMNS, {"age_group": "old"}, 'E105 age_group: "old" is no age group'),
        ({**COLUMNS, "age": "age"}, WEIGHTS, "E106 age_group: age is mapped too"),
        ({}, WEIGHTS, "E106 age_group: no part"),
        ({"scorad_c": "c", "scorad_a": "a"}, {}, "E104 columns.scorad_b: scorad is computed"),
        ({"scorad_b": "b"}, {}, "E104 columns.scorad_a: oscorad is computed"),
    ],
)
def test_parts_are_mapped_all_or_none_and_the_age_is_told(read, columns, arguments, message):
    with pytest.raises(ParameterError, match=message):
        read("patient,visit,easi\nA,baseline,1\n", columns={"visit": "visit", **columns}, **arguments)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    areas=st.lists(st.integers(0, 6), min_size=4, max_size=4),
    halves=st.lists(st.integers(0, 6), min_size=16, max_size=16),
    young=st.booleans(),
)
def test_any_parts_give_their_sum(tmp_path, areas, halves, young):
    values = dict(zip(EASI_PARTS, [*areas, *(half / 2 for half in halves)], strict=True))
    (tmp_path / "parts.csv").write_text(table(("A", "baseline", values)))
    cohort = read_cohort(
        tmp_path / "parts.csv",
        columns={"visit": "visit", **COLUMNS},
        visits={"baseline": 0},
        age_group="child" if young else "adult",
    )
    weights = [4, 4, 6, 6] if young else [2, 4, 6, 8]
    fortieths = sum(w * a * sum(halves[4 * r : 4 * r + 4]) for r, (w, a) in enumerate(zip(weights, areas, strict=True)))
    assert cohort.visits["easi"].tolist() == [pytest.approx(fortieths / 40, abs=1e-12)]


def test_parts_may_stand_in_a_further_file(tmp_path):
    (tmp_path / "parts.csv").write_text(table(("A", "baseline", {})))
    (tmp_path / "itch.csv").write_text("patient,visit,itch\nA,baseline,7\n")
    columns = {"visit": "visit", "itch_nrs": "itch", **COLUMNS}
    cohort = read_cohort(
        tmp_path / "itch.csv", visit_data=[tmp_path / "parts.csv"], columns=columns, visits={"baseline": 0}, **WEIGHTS
    )
    assert cohort.visits[["easi", "itch_nrs"]].values.tolist() == [[pytest.approx(ADULT), 7]]


def test_parts_that_a_wide_file_lacks_at_a_visit_give_no_score_there(read):
    text = "patient,easi_b,easi_w,a_b,b_b,a_w\nA,20,9,40,9,10\n"
    columns = {"easi": "easi_*", "scorad_a": "a_*", "scorad_b": "b_*"}
    cohort = read(text, columns=columns, visits={"b": 0, "w": 4})
    assert cohort.visits["oscorad"].fillna(-1).tolist() == [pytest.approx(39.5), -1]
    assert [p.code for p in cohort.log] == ["W211", "F227", "W227"]
