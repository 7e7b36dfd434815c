"""A patient global assessment in words, as clinics record it, makes treat-to-target assessable."""

from pathlib import Path

from easitrace import read_cohort
from easitrace.instruments import INSTRUMENTS
from easitrace.response import patient_reported, targets

ROWS = """patient,visit,easi,global
A,0,20.0,poor
A,12,9.0,good
A,26,4.0,very good
B,0,30.0,fair
B,12,10.0,fair
B,26,28.0,excellent
C,0,16.0,poor
C,12,15.0,fair
C,26,2.0,
"""
LEVELS = {"excellent": 0, "very good": 1, "good": 2, "fair": 3, "poor": 4}


def test_levels_in_words_are_read_and_both_targets_are_assessed(tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_text(ROWS, encoding="utf-8")
    columns = {"patient": "patient", "visit": "visit", "easi": "easi", "patient_global": "global"}
    cohort = read_cohort(
        tmp_path / "file.csv",
        columns=columns,
        values={"patient_global": LEVELS},
        visits={"0": 0, "12": 12, "26": 26},
    )
    assert cohort.wide("patient_global")[26.0].tolist()[:2] == [1.0, 0.0]
    table = targets.assess(cohort, 12, estimand="treatment-policy")
    whole = table[(table["kind"] == "target") & table["target"].str.startswith("Treat-to-target")].set_index("week")
    counts = ["met", "not_met", "not_known"]
    assert whole.loc[12.0, counts].tolist() == [1, 2, 0]
    assert whole.loc[26.0, counts].tolist() == [1, 1, 1]
    counted = patient_reported.responders(cohort, ["patient_global"], estimand="treatment-policy")
    by_criterion = counted[counted["week"] == 12].set_index("criterion")["responders"]
    assert by_criterion.to_dict() == {"patient_global drop>=1": 2, "patient_global<=2": 1}


def test_the_levels_are_named_from_best_to_worst() -> None:
    assert INSTRUMENTS["patient_global"].bands[0].labels == tuple(sorted(LEVELS, key=lambda word: LEVELS[word]))
