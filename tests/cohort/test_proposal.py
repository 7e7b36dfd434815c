"""What is proposed for a data file: sure, to be checked, or left to a person; and the file that says so."""

from functools import reduce
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from easitrace.cohort.proposal.columns import _shared_start
from easitrace.cohort.proposal.guess import Guess
from easitrace.cohort.proposal.proposal import propose
from easitrace.cohort.proposal.schedule import propose_visits, week_of
from easitrace.cohort.proposal.vocabulary import plain
from easitrace.cohort.proposal.writing import propose_decimal
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError, MachineError, ParameterError
from easitrace.parameters import check_parameters, read_parameters
from easitrace.parameters.new import write_new
from easitrace.parameters.strict_yaml import read_yaml
from generators.dutch import write_dutch
from generators.exports import CODES, EXPORTS, SCORES, VISITS, WINDOWS

RAW = {name: {str(code): word for word, code in CODES[name].items()} for name in ("stop_reason", "status")}
WIDE = """\
patnr;EASI_TOTAL.2;EASI_TOTAL.3;EASI_TOTAL.4;POEM.2;POEM.3;POEM.4;Geslacht;arm
1;12,8;6,2;999;20;ND;7;V;A
2;20,1;3,3;4;21;9;7;M;B
"""
NAMED = "subject,easi_week0,easi_week4,easi_month3,gender\n1,12.8,6.2,9,f\n2,20,3,4,m\n"
DATES = "Patient ID,Visit Date,EASI,NRS itch,Reason\nA,03/04/2024,12,5,lost job\nA,05/06/2024,4,2,\n"
REDCAP = """\
record_id,redcap_event_name,easi_total,poem_total,sex,prior___1
1,baseline_arm_1,12,20,1,1
1,week_4_arm_1,3,7,,0
1,unscheduled_arm_1,2,7,,0
"""
CASTOR = (
    "Participant Id;Participant Status;Site Abbreviation;easi_0;easi_4\n110001;Not Set;EMC;12,8;-97\n110002;;;4;1\n"
)
ADAM = """\
USUBJID,TRTP,PARAMCD,AVISIT,AVAL,ABLFL,SEX,AGE
S1,A,EASI,Baseline,21.4,Y,F,30
S1,A,EASI,Week 4,9,,F,30
S2,B,WEIGHT,Baseline,80,Y,M,50
"""


def proposed(tmp_path: Path, content: str | bytes, file_format: str | None = None):
    path = tmp_path / "export.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = propose(path, file_format)
    return {guess.key: guess for guess in found.guesses}, found


def values(guesses, *section: str) -> dict[str, object]:
    return {key[-1]: guess.value for key, guess in guesses.items() if key[: len(section)] == section}


def test_a_wide_file_with_numbered_suffixes(tmp_path: Path) -> None:
    guesses, _ = proposed(tmp_path, WIDE)
    assert values(guesses, "columns") == {
        "patient": "patnr",
        "sex": "Geslacht",
        "easi": "EASI_TOTAL.*",
        "poem": "POEM.*",
    }
    assert values(guesses, "visits") == {"2": None, "3": None, "4": None}
    assert "need not be a week" in guesses["visits", "2"].note
    assert guesses["decimal",].value == ","
    assert guesses["missing_codes",].value == ["ND", "999"]
    assert guesses["missing_codes",].note == 'do these mean missing? "ND" in 1 cell, "999" in 1 cell'
    assert values(guesses, "values", "sex") == {"V": "female", "M": "male"}
    assert guesses["arm",].open
    assert '("A", "B")' in guesses["arm",].note


def test_visits_named_in_columns(tmp_path: Path) -> None:
    guesses, found = proposed(tmp_path, NAMED)
    assert guesses["columns", "easi"].value == "easi_*"
    assert values(guesses, "visits") == {"week0": 0, "week4": 4, "month3": 13}
    assert guesses["visits", "month3"].note
    assert not guesses["visits", "week4"].note
    assert found.unused == ()


def test_two_readings_of_a_date_are_left_to_a_person(tmp_path: Path) -> None:
    guesses, _ = proposed(tmp_path, DATES)
    assert guesses["date_format",].open
    assert guesses["date_format",].note == '"03/04/2024" can be read as dd/mm/yyyy or mm/dd/yyyy'
    assert guesses["visits",].open
    assert guesses["windows",].open
    assert guesses["values", "stop_reason", "lost job"].open
    assert values(guesses, "columns")["itch_nrs"] == "NRS itch"


@pytest.mark.parametrize(
    ("dates", "form"),
    [
        (["13/04/2024", "01/02/2024"], "dd/mm/yyyy"),
        (["04-13-2024", "01-02-2024"], "mm-dd-yyyy"),
        (["2024-04-13", "2024-01-02"], "yyyy-mm-dd"),
        (["3.4.2024", "13.11.2024"], "d.m.yyyy"),
        (["31/02/2024", "01/02/2024"], None),
    ],
)
def test_the_format_in_which_every_date_exists(tmp_path: Path, dates: list[str], form: str | None) -> None:
    rows = "".join(f"A,{date},{n}\n" for n, date in enumerate(dates))
    guesses, _ = proposed(tmp_path, "patient,date,easi\n" + rows)
    assert guesses["date_format",].value == form


def test_redcap(tmp_path: Path) -> None:
    guesses, found = proposed(tmp_path, REDCAP)
    assert guesses["format",].value == "redcap"
    assert values(guesses, "columns") == {
        "patient": "record_id", "visit": "redcap_event_name", "sex": "sex", "easi": "easi_total", "poem": "poem_total",
    }  # fmt: skip
    assert values(guesses, "visits") == {"baseline_arm_1": 0, "week_4_arm_1": 4, "unscheduled_arm_1": None}
    assert found.unused == ("prior___1",)


def test_castor(tmp_path: Path) -> None:
    guesses, _ = proposed(tmp_path, CASTOR)
    assert guesses["format",].value == "castor"
    assert guesses["columns", "patient"].value == "Participant Id"
    assert values(guesses, "visits") == {"0": 0, "4": 4}
    assert guesses["visits", "4"].note == "a bare number, taken for a week"
    assert ("missing_codes",) not in guesses


def test_adam(tmp_path: Path) -> None:
    guesses, _ = proposed(tmp_path, ADAM)
    assert guesses["format",].value == "adam"
    assert values(guesses, "columns") == {
        "patient": "USUBJID",
        "visit": "AVISIT",
        "sex": "SEX",
        "age": "AGE",
        "easi": "EASI",
    }
    assert values(guesses, "visits") == {"Baseline": 0, "Week 4": 4}


def test_what_looks_wrong_is_said(tmp_path: Path) -> None:
    guesses, _ = proposed(tmp_path, "id,visit,easi,easi score\n1,bl,81,4\n1,w4,3,5\n")
    assert guesses["columns", "easi"].note == 'or is it "easi score"?; EASI runs from 0 to 72, but there is 81'


def test_no_outcome_no_time_no_utf8(tmp_path: Path) -> None:
    guesses, found = proposed(tmp_path, "Patiënt,naam\n1,a\n".encode("cp1252"))
    assert guesses["encoding",].value == "cp1252"
    assert guesses["columns", "easi"].open
    assert guesses["visits",].open
    assert found.unused == ("naam",)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="E202"):
        proposed(tmp_path, "")
    with pytest.raises(DataError, match="E201"):
        propose(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("label", "week"),
    [
        ("Baseline", 0), ("week 16", 16), ("W04", 4), ("12 wk", 12), ("Woche 8", 8), ("visit", None), ("3 maanden", 13),
        ("M6", 26), ("week_4_arm_2", 4), ("12.0", 12), ("early termination", None),
    ],
)  # fmt: skip
def test_the_week_a_label_names(label: str, week: float | None) -> None:
    assert week_of(label)[0] == week


def test_two_labels_of_one_week_are_left_to_a_person() -> None:
    guesses = {guess.key[-1]: guess.value for guess in propose_visits(["W4", "baseline", "week 4", "W12"])}
    assert guesses == {"baseline": 0, "W12": 12, "W4": None, "week 4": None}


def test_words_are_compared_without_accents_and_signs() -> None:
    assert plain("  Patiënt-Nr. (ß) ") == "patient nr ss"


@pytest.mark.parametrize("content", [WIDE, NAMED, DATES, REDCAP, CASTOR, ADAM])
def test_the_file_is_yaml_and_holds_what_is_settled(tmp_path: Path, content: str) -> None:
    _, found = proposed(tmp_path, content)
    path, marked = write_new("trial", tmp_path / "export.csv", found, tmp_path / "parameters")
    _, problems = read_yaml(path, "trial.yml")
    assert problems == []
    content_read = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    assert (content_read["study"], content_read["data"]) == ("trial", "../export.csv")
    for guess in found.guesses:
        if guess.open:
            assert any("DECIDE" in line and guess.note in line for line in marked)
        else:
            assert reduce(lambda node, key: node[key], guess.key, content_read) == guess.value
    with pytest.raises(MachineError, match="E604"):
        write_new("trial", tmp_path / "export.csv", found, tmp_path / "parameters")


def test_the_dutch_export(tmp_path: Path) -> None:
    write_dutch(tmp_path / "dutch.csv")
    guesses = {guess.key: guess for guess in propose(tmp_path / "dutch.csv").guesses}
    assert guesses["columns", "start_date"].value == "Start upadacitinib"
    assert guesses["columns", "start_date"].note == "by part of its name"
    assert guesses["date_format",].value == "dd-mm-yyyy"
    assert guesses["decimal",].value == ","
    assert values(guesses, "values", "status") == {
        "gestopt": "stopped", "loopt nog": "in follow-up", "afgerond": "completed",
    }  # fmt: skip


DECISIONS = {
    "by_date": {"visits": VISITS, "windows": WINDOWS},
    "unscheduled": {"unscheduled": ["EXTRA"]},
    "wide_suffixes": {"visits": {"2": 0, "3": 4, "4": 12}},
    "spss_wide": {"visits": {"2": 0, "3": 4, "4": 12}},
    "redcap_repeats": {"visits": {"1": 0, "2": 4, "3": 12}},
    "redcap_raw": {"values": RAW},
    "castor_repeats": {"patient_data": "study.csv"},
    "joined_csv": {"patient_data": "patients.csv", "visit_data": ["poem.csv"]},
    "workbook_of_sheets": {"patient_data": "study.xlsx#Patients"},
    "adam": {"patient_data": "adsl.xpt"},
}
"""What a person adds to a proposed file: decisions it asks for, and further files, of which it knows nothing."""

OPEN = {
    "by_date": {"visits", "windows"},
    "unscheduled": {"visits.EXTRA"},
    "wide_suffixes": {"visits.2", "visits.3", "visits.4"},
    "spss_wide": {"visits.2", "visits.3", "visits.4"},
    "redcap_repeats": {"visits.1", "visits.2", "visits.3"},
    "redcap_raw": {"visits.demographics_arm_1", *(f"values.{name}.{code}" for name in RAW for code in RAW[name])},
    "redcap_labels": {"visits.Demographics"},
    "adam": {"visits.Screening"},
}


@pytest.mark.parametrize("name", list(EXPORTS))
def test_a_proposed_file_reads_once_what_it_asks_for_is_decided(name: str, tmp_path: Path) -> None:
    """Nothing else is missing: the file, with the decisions in the place of its open lines, reads the cohort."""
    written = EXPORTS[name](tmp_path)
    chosen = {key: written[key] for key in ("sheet", "header_row") if key in written}
    found = propose(written["data"], **chosen)
    assert {".".join(guess.key) for guess in found.guesses if guess.open} == OPEN.get(name, set())
    path, _ = write_new("study", Path(written["data"]), found, tmp_path)
    content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    with pytest.raises(ParameterError) as stopped:
        read_parameters(path)
    assert {"decision_week", "estimand"} <= {problem.where.rpartition(" ")[2] for problem in stopped.value.problems}
    decided = {**DECISIONS.get(name, {}), "decision_week": 12, "estimand": "treatment-policy"}
    decided |= {key: str(tmp_path / decided[key]) for key in ("patient_data",) if key in decided}
    decided |= {key: [str(tmp_path / file) for file in decided[key]] for key in ("visit_data",) if key in decided}
    parameters = check_parameters({**content, "data": written["data"], **decided})
    cohort = read_cohort(parameters.data, **parameters.cohort_arguments())
    expected = SCORES[SCORES["easi"].notna()]
    baseline = expected[expected["visit"] == "baseline"]["patient"]
    expected = expected[expected["patient"].isin(baseline)]
    assert cohort.visits["easi"].dropna().tolist() == expected["easi"].tolist()
    assert [visit.week for visit in cohort.schedule] == [0, 4, 12]


def test_a_day_beside_a_date_is_not_used(tmp_path: Path) -> None:
    guesses, found = proposed(tmp_path, "id,Visit Date,Day,EASI\nA,2024-04-03,0,12\nA,2024-05-01,28,4\n")
    assert values(guesses, "columns") == {"patient": "id", "date": "Visit Date", "easi": "EASI"}
    assert found.unused == ("Day",)


def test_a_label_that_others_begin_with_is_a_label(tmp_path: Path) -> None:
    guesses, _ = proposed(tmp_path, "id,easi_0,easi_1,easi_12\nA,12,8,4\n")
    assert guesses["columns", "easi"].value == "easi_*"
    assert values(guesses, "visits") == {"0": 0, "1": 1, "12": 12}
    assert _shared_start(["visit 1", "visit 1 extra"]) == "visit "


@pytest.mark.parametrize(
    ("cells", "sign", "note"),
    [
        (["1,5", "2,5", "3.5"], ",", "2 numbers have a comma, 1 a point"),
        (["1,5", "2.5", "3.5"], ".", "1 numbers have a comma, 2 a point"),
        (["1,5", "2", "x.y"], ",", ""),
        (["1.5", "2", "x,y"], None, ""),
    ],
)
def test_both_decimal_signs_are_left_to_a_person(cells: list[str], sign: str | None, note: str) -> None:
    assert propose_decimal([cells]) == ([Guess(("decimal",), sign, note)] if sign else [])


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    _, found = proposed(tmp_path, NAMED)
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match=r"E602 .*trial\.yml: .*; give a folder that can be written"):
        write_new("trial", tmp_path / "export.csv", found, tmp_path / "file")
