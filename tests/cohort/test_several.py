"""Several scored rows for one visit: each rule, on labels and in windows, with its log and its flow."""

import numpy as np
import pytest

from easitrace.cohort.flow import GAVE_WAY, JOINED, KEPT_OUT, LOST
from easitrace.errors import DataError, ParameterError

HEAD = "patient,visit,day,easi\nA,baseline,0,20\n"
LABELS = {"columns": {"visit": "visit", "day": "day"}}
WINDOWS = {"baseline": [-7, 3], "week 4": [14, 42], "week 12": [56, 112]}
FOUR = "A,week 4,16,9\nA,week 4,25,4\nA,week 4,31,7\nA,week 4,40,5\n"


def by_days(text):
    """The same rows without the labels of their visits."""
    return "\n".join(",".join(field for i, field in enumerate(line.split(",")) if i != 1) for line in text.split("\n"))


def adds_up(cohort):
    total = cohort.flow[cohort.flow["detail"] == ""].set_index("step")["n"]
    assert total["visits read"] - total[list(LOST)].sum() == total["visits used"] == len(cohort.visits)
    return total


@pytest.mark.parametrize(
    ("rule", "day", "score", "reason"),
    [
        ("nearest", 25, 4, "another day is nearer to week 4"),
        ("last", 40, 5, "a later day counts for week 4"),
        ("worst", 16, 9, "a worse score counts for week 4"),
    ],
)
def test_one_row_counts_by_the_rule_and_the_others_are_listed(read, rule, day, score, reason):
    labelled = read(HEAD + FOUR, several=rule, **LABELS)
    dated = read(by_days(HEAD + FOUR), columns={"day": "day"}, windows=WINDOWS, several=rule)
    for cohort in (labelled, dated):
        assert cohort.visits[["day", "easi"]].values.tolist() == [[0, 20], [day, score]]
        lost = [row for row, other in zip((3, 4, 5, 6), (16, 25, 31, 40), strict=True) if other != day]
        listed = f"rows {lost[0]}, {lost[1]} and {lost[2]}"
        assert [(p.code, p.what) for p in cohort.log] == [("W203", f"3 rows left out: {reason} ({listed})")]
        assert adds_up(cohort)[[GAVE_WAY, JOINED]].tolist() == [3, 0]


def test_the_mean_has_the_day_of_the_nearest_and_keeps_all_rows(read):
    cohort = read(HEAD + FOUR, several="mean", **LABELS)
    assert cohort.visits[["day", "easi"]].values.tolist() == [[0, 20], [25, 6.25]]
    assert [(p.code, p.what) for p in cohort.log] == [
        ("W232", "4 rows entered the mean of a visit (rows 3, 4, 5 and 6)")
    ]
    assert adds_up(cohort)[[GAVE_WAY, JOINED]].tolist() == [0, 3]


def test_a_tie_goes_to_the_earlier_day(read):
    rows = "A,week 4,30,9\nA,week 4,26,4\n"
    assert read(HEAD + rows, several="nearest", **LABELS).visits["day"].tolist() == [0, 26]
    dated = read(by_days(HEAD + rows), columns={"day": "day"}, windows=WINDOWS)
    assert dated.visits["day"].tolist() == [0, 26]


def test_without_a_rule_labels_refuse_and_windows_take_the_nearest(read):
    with pytest.raises(DataError, match=r"E215 cohort\.csv rows 3, 4, 5 and 6: .*choose a rule under several"):
        read(HEAD + FOUR, **LABELS)
    dated = read(by_days(HEAD + FOUR), columns={"day": "day"}, windows=WINDOWS)
    assert dated.visits["easi"].tolist() == [20, 4]
    with pytest.raises(DataError, match=r"E215 cohort\.csv rows 3, 4, 5 and 6"):
        read(by_days(HEAD + FOUR), columns={"day": "day"}, windows=WINDOWS, several="error")


@pytest.mark.parametrize("rule", ["nearest", "last", "worst", "mean"])
def test_an_exact_duplicate_is_refused_unless_a_rule_is_chosen_and_counts_once(read, rule):
    rows = "A,week 4,25,4\nA,week 4,25,4\nA,week 4,40,5\n"
    with pytest.raises(DataError, match="E215"):
        read(HEAD + rows, **LABELS)
    with pytest.raises(DataError, match=r"E215 .* rows 3 and 4: one patient has two rows on one day"):
        read(by_days(HEAD + rows), columns={"day": "day"}, windows=WINDOWS)
    cohort = read(HEAD + rows, several=rule, **LABELS)
    assert cohort.visits["easi"].tolist()[1] == {"nearest": 4, "last": 5, "worst": 5, "mean": 4.5}[rule]
    assert adds_up(cohort)[GAVE_WAY] == (1 if rule == "mean" else 2)


@pytest.mark.parametrize("rule", ["nearest", "last"])
def test_what_no_day_decides_is_refused(read, rule):
    with pytest.raises(DataError, match=r"E215 .* rows 3 and 4: one patient has two easi on one day; .*worst or mean"):
        read(HEAD + "A,week 4,25,4\nA,week 4,25,5\n", several=rule, **LABELS)
    with pytest.raises(DataError, match=rf"E226 .* row 3: .*without a day by which the {rule}"):
        read(HEAD + "A,week 4,,4\nA,week 4,25,5\n", several=rule, **LABELS)
    with pytest.raises(ParameterError, match=f"E106 several: {rule} needs a day"):
        read("patient,visit,easi\nA,baseline,1\n", several=rule)


def test_worst_is_the_worse_side_of_each_instrument(read):
    better = {"name": "vas", "minimum": 0, "maximum": 10, "grid": 0.5, "better": "higher"}
    text = "patient,visit,vas,poem\nA,baseline,2,9\nA,baseline,3,20\n"
    columns = {"visit": "visit", "vas": "vas", "poem": "poem"}
    cohort = read(text, columns=columns, several="worst", outcome="vas", instrument=better)
    assert cohort.visits[["vas", "poem"]].values.tolist() == [[2, 20]]
    assert [p.code for p in cohort.log] == ["W231"]


def test_scores_in_different_rows_are_joined_and_the_day_is_that_of_the_outcome(read):
    text = "patient,visit,day,easi,poem\nA,baseline,0,20,\nA,baseline,1,,18\nA,week 4,28,,8\nA,week 4,33,5,\n"
    columns = {"visit": "visit", "day": "day", "poem": "poem"}
    cohort = read(text, columns=columns, several="nearest")
    assert cohort.visits[["day", "easi", "poem"]].values.tolist() == [[0, 20, 18], [33, 5, 8]]
    assert [(p.code, p.what) for p in cohort.log] == [
        ("W231", "4 rows gave different scores to one visit (rows 2, 3, 4 and 5)")
    ]
    assert adds_up(cohort)[[GAVE_WAY, JOINED]].tolist() == [0, 2]


def test_a_second_row_without_a_score_is_no_second_row(read):
    cohort = read(HEAD + "A,week 4,25,4\nA,week 4,25,\n", **LABELS)
    assert [p.code for p in cohort.log] == ["F208"]


def test_a_wide_file_with_a_patient_twice_follows_the_rule(read):
    text = "patient,easi_b,easi_w,day_b,day_w\nA,20,9,0,20\nA,18,5,-3,30\n"
    arguments = {"columns": {"easi": "easi_*", "day": "day_*"}, "visits": {"b": 0, "w": 4}}
    with pytest.raises(DataError, match=r"E215 cohort\.csv rows 2 and 3: one patient has two rows;"):
        read(text, **arguments)
    cohort = read(text, several="nearest", **arguments)
    assert cohort.visits[["day", "easi"]].values.tolist() == [[0, 20], [30, 5]]


EXTRA = "patient,visit,day,easi\nA,baseline,0,20\nA,EXTRA,25,9\nA,EXTRA,50,8\nA,EXTRA,,7\nA,week 12,84,6\n"


def test_unscheduled_visits_are_left_out_and_counted(read):
    with pytest.raises(DataError, match=r'E216 .*"EXTRA" is no planned visit, in 3 rows'):
        read(EXTRA, **LABELS)
    cohort = read(EXTRA, unscheduled=["EXTRA"], **LABELS)
    assert cohort.visits["easi"].tolist() == [20, 6]
    assert [(p.code, p.what) for p in cohort.log] == [("W233", "3 unscheduled visits left out (rows 3, 4 and 5)")]
    assert adds_up(cohort)[KEPT_OUT] == 3


def test_unscheduled_visits_are_placed_by_windows_where_there_are_windows_and_a_day(read):
    cohort = read(EXTRA, unscheduled=["EXTRA"], windows=WINDOWS, **LABELS)
    assert cohort.visits[["week", "day", "easi"]].values.tolist() == [[0, 0, 20], [4, 25, 9], [12, 84, 6]]
    assert [p.code for p in cohort.log] == ["W233", "W204"]
    adds_up(cohort)


@pytest.mark.parametrize(
    ("rule", "kept", "reason"),
    [
        (None, 33, "week 4 has a row of its own"),
        ("nearest", 28, "nearer"),
        ("last", 33, "later"),
        ("worst", 28, "worse"),
    ],
)
def test_a_visit_of_its_own_comes_before_an_unscheduled_one_unless_a_rule_is_chosen(read, rule, kept, reason):
    text = "patient,visit,day,easi\nA,baseline,0,20\nA,EXTRA,28,9\nA,week 4,33,5\n"
    cohort = read(text, unscheduled=["EXTRA"], windows=WINDOWS, several=rule, **LABELS)
    assert cohort.visits["day"].tolist() == [0, kept]
    assert [p.code for p in cohort.log] == ["W203"]
    assert reason in cohort.log[0].what
    with pytest.raises(DataError, match="E215"):
        read(text, unscheduled=["EXTRA"], windows=WINDOWS, several="error", **LABELS)


def test_a_row_before_the_baseline_window_is_listed_apart(read):
    text = "patient,day,easi\nA,-20,30\nA,0,20\nA,50,9\nB,-8,7\nB,-7,6\n"
    cohort = read(text, columns={"day": "day"}, windows=WINDOWS)
    assert cohort.visits["day"].tolist() == [0, -7]
    assert [(p.code, p.what) for p in cohort.log] == [
        ("W223", "2 rows before the baseline window (day -7) left out (rows 2 and 5)"),
        ("W204", "1 row on a day in no window left out (row 4)"),
    ]
    adds_up(cohort)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"several": "best"}, 'E105 several: "best" is no rule; use error, nearest'),
        ({"unscheduled": ["week 4"]}, 'E106 unscheduled: "week 4" is among visits too'),
        ({"unscheduled": ["X"], "columns": {"day": "visit"}, "windows": WINDOWS}, "E106 unscheduled: no label"),
        ({"unscheduled": ["X"], "columns": {"easi": "easi_*"}}, "E106 unscheduled: no label"),
    ],
)
def test_options_that_do_nothing_are_refused(read, arguments, message):
    with pytest.raises(ParameterError, match=message):
        read("patient,visit,easi\nA,baseline,1\n", **arguments)


def test_the_mean_of_many_is_that_of_numpy(read):
    scores = [0.1, 7.3, 12.6, 5.5, 3.2]
    rows = "".join(f"A,week 4,{15 + i},{score}\n" for i, score in enumerate(scores))
    assert read(HEAD + rows, several="mean", **LABELS).visits["easi"].tolist()[1] == pytest.approx(np.mean(scores))
