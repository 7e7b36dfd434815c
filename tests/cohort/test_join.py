"""Files joined by patient: what is found where, who is in which, and nothing is lost without a word."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.flow import JOINED, LOST
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError, ParameterError

VISITS = {"baseline": 0, "week 4": 4, "week 12": 12}
WINDOWS = {"baseline": [-7, 3], "week 4": [14, 42], "week 12": [56, 112]}
EASI = "patient,visit,easi\nA,baseline,20\nA,week 4,9\nB,baseline,12\nB,week 4,11\n"
PEOPLE = "patient,age,sex\nA,30,f\nB,41,m\n"
EVENTS = "patient,event,day,serious\nA,acne,20,no\nB,herpes,3,yes\n"
AGE_SEX = {"visit": "visit", "age": "age", "sex": "sex"}
AE = {"visit": "visit", "event": "event", "event_day": "day", "event_serious": "serious"}


class Study:
    """Files written into one folder and read together; `easi.csv` is `data`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, easi: str = EASI, **given: Any) -> Cohort:
        (self.folder / "easi.csv").write_text(easi)
        arguments: dict[str, Any] = {"visits": VISITS}
        for name, value in given.items():
            if name.endswith("_data"):
                arguments[name] = [self.write(*one) for one in value] if name == "visit_data" else self.write(*value)
            else:
                arguments[name] = value
        return read_cohort(self.folder / "easi.csv", **arguments)

    def write(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def log(cohort: Cohort) -> list[tuple[str, str, str]]:
    return [(problem.code, problem.where, problem.what) for problem in cohort.log]


def adds_up(cohort: Cohort) -> Any:
    total = cohort.flow[cohort.flow["detail"] == ""].set_index("step")["n"]
    assert total["visits read"] - total[list(LOST)].sum() == total["visits used"] == len(cohort.visits)
    assert total["patients read"] - total["patients without a baseline score"] == total["patients analysed"]
    return total


def test_patients_come_from_their_own_file(study):
    cohort = study.read(patient_data=("people.csv", PEOPLE), columns=AGE_SEX)
    assert cohort.patients[["patient", "age", "sex"]].values.tolist() == [["A", 30, "f"], ["B", 41, "m"]]
    assert cohort.log == ()
    assert [source.path.name for source in cohort.sources] == ["easi.csv", "people.csv"]
    assert len({source.sha256 for source in cohort.sources}) == 2


def test_who_is_in_one_file_only_is_counted_in_both_directions(study):
    people = "patient,age,sex\nB,41,m\nC,50,f\nD,51,m\n"
    cohort = study.read(patient_data=("people.csv", people), columns=AGE_SEX)
    assert log(cohort) == [
        ("W225", "easi.csv", "1 patient with no row in people.csv (row 2)"),
        ("W225", "people.csv", "2 patients with no row in easi.csv (rows 3 and 4)"),
        ("W202", "easi.csv", "2 patients without a baseline score left out"),
    ]
    assert cohort.patients["patient"].tolist() == ["A", "B"]
    assert cohort.patients["age"].isna().tolist() == [True, False]
    assert adds_up(cohort)["patients read"] == 4


def test_scores_of_a_further_file_are_joined_by_label(study):
    poem = "patient,visit,poem\nA,week 4,8\nB,baseline,20\nB,week 12,15\nC,baseline,3\n"
    cohort = study.read(visit_data=[("poem.csv", poem)], columns={"visit": "visit", "poem": "poem"})
    assert cohort.visits[["patient", "week"]].values.tolist() == [["A", 0], ["A", 4], ["B", 0], ["B", 4], ["B", 12]]
    assert cohort.visits["easi"].tolist()[:4] == [20, 9, 12, 11]
    assert cohort.visits["poem"].fillna(-1).tolist() == [-1, 8, 20, -1, 15]
    assert [code for code, _, _ in log(cohort)] == ["W225", "W202"]
    total = adds_up(cohort)
    assert (total["rows read"], total[JOINED]) == (8, 2)


def test_scores_of_a_further_file_are_joined_by_day_and_the_day_is_that_of_the_outcome(study):
    easi = "patient,day,easi\nA,0,20\nA,29,9\n"
    poem = "patient,day,poem\nA,-2,18\nA,28,7\nA,20,6\n"
    cohort = study.read(easi, visit_data=[("poem.csv", poem)], columns={"day": "day", "poem": "poem"}, windows=WINDOWS)
    assert cohort.visits[["day", "easi", "poem"]].values.tolist() == [[0, 20, 18], [29, 9, 7]]
    assert log(cohort) == [("W203", "poem.csv", "1 row left out: another day is nearer to week 4 (row 4)")]
    adds_up(cohort)


def test_dates_of_a_further_file_count_from_the_start_of_data(study):
    easi = "patient,date,easi\nA,10-01-2024,20\nA,07-02-2024,9\n"
    poem = "patient,date,poem\nA,08-01-2024,18\n"
    arguments = {"columns": {"date": "date", "poem": "poem"}, "windows": WINDOWS, "date_format": "dd-mm-yyyy"}
    cohort = study.read(easi, visit_data=[("poem.csv", poem)], **arguments)
    assert cohort.visits["poem"].fillna(-1).tolist() == [18, -1]
    by_label = {"visit": "visit", "poem": "poem", "date": "date"}
    with pytest.raises(DataError, match=r"E212 poem\.csv: dates are mapped but easi\.csv has none"):
        study.read(visit_data=[("poem.csv", poem)], **{**arguments, "columns": by_label})


def test_a_further_file_may_be_wide(study):
    poem = "patient,poem_baseline,poem_week 4\nA,18,8\nB,20,\n"
    columns = {"visit": "visit", "poem": "poem_*"}
    cohort = study.read(visit_data=[("poem.csv", poem)], columns=columns)
    assert cohort.visits["poem"].fillna(-1).tolist() == [18, 8, 20, -1]
    assert [code for code, _, _ in log(cohort)] == ["W211"]


def test_files_may_call_patient_and_visit_differently(study):
    easi = EASI.replace("patient,visit", "id,event")
    people = PEOPLE.replace("patient", "SUBJID")
    poem = "subject,moment,poem\nA,baseline,18\n"
    columns = {"patient": ["id", "SUBJID", "subject"], "visit": ["event", "moment"], "age": "age", "poem": "poem"}
    cohort = study.read(easi, patient_data=("p.csv", people), visit_data=[("poem.csv", poem)], columns=columns)
    assert cohort.patients["age"].tolist() == [30, 41]
    assert cohort.visits["poem"].tolist()[0] == 18
    with pytest.raises(DataError, match=r"E270 p\.csv row 1: patient is both \"id\" and \"SUBJID\" here"):
        study.read(easi, patient_data=("p.csv", people.replace("sex", "id")), columns=columns)


def test_a_column_in_two_files_is_asked_about(study):
    easi = "patient,visit,easi,age\nA,baseline,20,30\nA,week 4,9,30\nB,baseline,12,41\n"
    with pytest.raises(DataError) as raised:
        study.read(easi, patient_data=("people.csv", PEOPLE), columns=AGE_SEX)
    assert [str(problem) for problem in raised.value.problems] == [
        'E270 easi.csv: column "age" is in easi.csv and people.csv; say which: columns.age: "easi.csv:age"'
    ]
    for chosen in ("easi.csv", "people.csv"):
        cohort = study.read(
            easi, patient_data=("people.csv", PEOPLE.replace("30", "33")), columns=AGE_SEX | {"age": f"{chosen}:age"}
        )
        assert cohort.patients["age"].tolist() == [30 if chosen == "easi.csv" else 33, 41]


@pytest.mark.parametrize(
    ("people", "columns", "code", "place", "message"),
    [
        (PEOPLE + "A,31,f\n", AGE_SEX, "E271", "people.csv rows 2 and 4", "two rows in a file with one row per"),
        (PEOPLE + ",31,f\n", AGE_SEX, "E213", "people.csv row 4, column patient", "blank"),
        (PEOPLE.replace("A", "a"), AGE_SEX, "E214", "easi.csv rows? 2, column patient", r'"a" \(people.csv row 2\)'),
        (PEOPLE.replace("30", "x"), AGE_SEX, "E207", "people.csv row 2, column age", "not a number"),
        (PEOPLE.replace("patient", "id"), AGE_SEX, "E211", "people.csv row 1", 'no column "patient"'),
        (PEOPLE, AGE_SEX | {"sex": "gender"}, "E211", "easi.csv row 1", 'no column "gender"'),
        (PEOPLE, AGE_SEX | {"sex": "people.csv:gender"}, "E211", "people.csv row 1", 'no column "gender"'),
        (PEOPLE, AGE_SEX | {"sex": "se*"}, "E211", "easi.csv row 1", 'no column "sebaseline"'),
        ("patient,age_baseline\nA,1\n", {"visit": "visit", "age": "age_*"}, "E212", "people.csv", "column per visit"),
    ],
)
def test_faults_of_the_patients_file_are_placed_in_it(study, people, columns, code, place, message):
    with pytest.raises(DataError, match=rf"^{code} {place}: .*{message}"):
        study.read(patient_data=("people.csv", people), columns=columns)


def test_a_blank_patient_matches_no_other_blank(study):
    with pytest.raises(DataError) as raised:
        study.read(EASI + ",baseline,3\n", patient_data=("people.csv", PEOPLE + ",31,f\n"), columns=AGE_SEX)
    assert [(p.code, p.where) for p in raised.value.problems] == [
        ("E213", "easi.csv row 6, column patient"),
        ("E213", "people.csv row 4, column patient"),
    ]


def test_stops_and_starts_may_come_from_the_patients_file(study):
    people = "patient,start,stop,why\nA,01-01-2024,20-01-2024,other\nB,02-01-2024,,\n"
    easi = "patient,date,easi\nA,01-01-2024,20\nA,29-01-2024,9\nB,03-01-2024,12\n"
    columns = {"date": "date", "start_date": "start", "stop_date": "stop", "stop_reason": "why"}
    arguments = {"columns": columns, "date_format": "dd-mm-yyyy", "windows": WINDOWS}
    cohort = study.read(easi, patient_data=("people.csv", people), **arguments)
    assert cohort.visits[["day", "after_stop"]].values.tolist() == [[0, False], [28, True], [1, False]]
    assert cohort.patients["stop_day"].fillna(-1).tolist() == [19, -1]
    with pytest.raises(DataError, match=r"E223 people\.csv row 2: the patient stops before day 0"):
        study.read(easi, patient_data=("people.csv", people.replace("20-01-2024", "20-12-2023")), **arguments)
    with pytest.raises(DataError, match=r"E226 people\.csv row 3, column start: the patient has no start") as raised:
        study.read(easi, patient_data=("people.csv", people.replace("02-01-2024", "")), **arguments)
    assert len(raised.value.problems) == 1
    with pytest.raises(DataError, match=r"E226 easi\.csv row 4, column date: the patient's day 0 is not known"):
        study.read(easi, patient_data=("people.csv", people.replace("B,02-01-2024,,\n", "")), **arguments)
    labelled = "patient,visit,date,easi\nA,baseline,01-01-2024,20\nB,baseline,03-01-2024,12\n"
    short = ("people.csv", people.replace("B,02-01-2024,,\n", ""))
    known = study.read(labelled, patient_data=short, **arguments | {"columns": columns | {"visit": "visit"}})
    assert known.visits["day"].fillna(-1).tolist() == [0, -1]


def test_adverse_events_come_from_their_own_file(study):
    cohort = study.read(event_data=("ae.csv", EVENTS + "A,acne,10,no\n"), columns=AE)
    rows = [["A", "acne", 10, False], ["A", "acne", 20, False], ["B", "herpes", 3, True]]
    assert cohort.events.values.tolist() == rows
    assert dict(cohort.events.dtypes.astype(str)) == {"patient": "str", "event": "str", "day": "float64",
                                                      "serious": "bool"}  # fmt: skip
    assert cohort.log == ()


def test_events_that_do_not_count_are_listed(study):
    easi = EASI + "C,week 4,5\n"
    ae = EVENTS + "X,acne,3,no\nC,acne,3,no\nA,rash,-3,no\nA,fever,,yes\nB,herpes,3,yes\n"
    cohort = study.read(easi, event_data=("ae.csv", ae), columns=AE)
    assert log(cohort)[:3] == [
        ("W238", "ae.csv", "1 adverse event before day 0 left out (row 6)"),
        ("W230", "ae.csv", "1 adverse event without a day, counted all the same (row 7)"),
        ("W236", "ae.csv", "1 adverse event alike in everything to one before, counted all the same (row 8)"),
    ]
    assert ("W228", "ae.csv", "1 adverse event of patients that easi.csv does not have left out (row 4)") in log(cohort)
    assert ("W229", "ae.csv", "1 adverse event of patients not analysed left out (row 5)") in log(cohort)
    total = adds_up(cohort)
    assert total[["adverse events read", "adverse events left out", "adverse events used"]].tolist() == [7, 3, 4]
    assert len(cohort.events) == 4


def test_dates_of_events_count_from_day_0(study):
    easi = "patient,visit,date,easi\nA,baseline,01-01-2024,20\nA,week 4,29-01-2024,9\n"
    ae = "patient,event,date,serious\nA,acne,11-01-2024,no\n"
    columns = {"visit": "visit", "date": "date", "event": "event", "event_date": "date", "event_serious": "serious"}
    cohort = study.read(easi, event_data=("ae.csv", ae), columns=columns, date_format="dd-mm-yyyy")
    assert cohort.events["day"].tolist() == [10]
    with pytest.raises(DataError, match=r"E212 ae\.csv: the dates of adverse events are mapped but no other date"):
        study.read(event_data=("ae.csv", ae), columns={k: v for k, v in columns.items() if k != "date"},
                   date_format="dd-mm-yyyy")  # fmt: skip


@pytest.mark.parametrize(
    ("ae", "code", "place", "message"),
    [
        (EVENTS + "A,,3,no\n", "E273", "ae.csv row 4, column event", "without a name"),
        (EVENTS + ",acne,3,no\n", "E213", "ae.csv row 4, column patient", "blank"),
        (EVENTS + "A,acne,3,maybe\n", "E222", "ae.csv row 4, column serious", '"maybe" is not yes or no'),
        (EVENTS + "A,acne,3,\n", "E222", "ae.csv row 4, column serious", '"" is not yes or no'),
        (EVENTS + "A,acne,soon,no\n", "E207", "ae.csv row 4, column day", '"soon"'),
        (
            EVENTS.replace("event", "term"),
            "E211",
            "ae.csv row 1",
            'no column "event"; the columns are: "patient", "term"',
        ),
        (EVENTS.replace("A", "a"), "E214", "easi.csv row 2, column patient", r'"A" and "a" \(ae.csv row 2\)'),
    ],
)
def test_faults_of_the_events_file_are_placed_in_it(study, ae, code, place, message):
    with pytest.raises(DataError, match=rf"^{code} {place}: .*{message}"):
        study.read(event_data=("ae.csv", ae), columns=AE)


def test_seriousness_is_recoded_and_its_absence_is_said(study):
    ae = EVENTS.replace("yes", "ja").replace("no", "nee")
    cohort = study.read(event_data=("ae.csv", ae), columns=AE, values={"event_serious": {"ja": "yes", "nee": "no"}})
    assert cohort.events["serious"].tolist() == [False, True]
    without = study.read(event_data=("ae.csv", EVENTS), columns={k: AE[k] for k in ("visit", "event")})
    assert [code for code, _, _ in log(without)] == ["W237", "W230"]
    assert not without.events["serious"].any()


def test_events_may_stand_in_the_rows_of_visits(study):
    easi = "patient,visit,easi,ae,ae_day\nA,baseline,20,,\nA,week 4,9,acne,17\nB,baseline,12,,\n"
    cohort = study.read(easi, columns={"visit": "visit", "event": "ae", "event_day": "ae_day"})
    assert cohort.events.values.tolist() == [["A", "acne", 17, False]]
    assert adds_up(cohort)["adverse events read"] == 1


def test_sheets_of_one_workbook_are_joined(study):
    book = openpyxl.Workbook()
    visits, people = book.active, book.create_sheet("Patients")
    visits.title = "Visits"
    for sheet, text in ((visits, EASI), (people, PEOPLE)):
        for line in text.splitlines():
            sheet.append([int(cell) if cell.isdigit() else cell for cell in line.split(",")])
    book.save(study.folder / "study.xlsx")
    path = study.folder / "study.xlsx"
    cohort = read_cohort(path, sheet="Visits", patient_data=f"{path}#Patients", columns=AGE_SEX, visits=VISITS)
    assert cohort.patients["age"].tolist() == [30, 41]
    mixed = read_cohort(study.write("easi.csv", EASI), delimiter=",", patient_data=f"{path}#Patients", columns=AGE_SEX,
                        visits=VISITS)  # fmt: skip
    assert mixed.patients["sex"].tolist() == ["f", "m"]


def test_two_files_of_one_name_are_refused(study, tmp_path):
    (tmp_path / "other").mkdir()
    other = study.write("other/easi.csv", PEOPLE)
    study.write("easi.csv", EASI)
    with pytest.raises(ParameterError, match=r"E106 patient_data: two files are called easi\.csv"):
        read_cohort(tmp_path / "easi.csv", patient_data=other, columns=AGE_SEX, visits=VISITS)


def test_a_further_file_that_changes_while_it_is_read_is_refused(study, monkeypatch):
    from easitrace.cohort import read as reading

    assemble = reading.assemble

    def disturbed(*arguments):
        (study.folder / "people.csv").write_text(PEOPLE + "C,1,f\n")
        return assemble(*arguments)

    monkeypatch.setattr(reading, "assemble", disturbed)
    with pytest.raises(DataError, match=r"E225 people\.csv: the file changed"):
        study.read(patient_data=("people.csv", PEOPLE), columns=AGE_SEX)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"columns": {"visit": "visit", "easi": ["a", "b"]}}, r"E105 columns\.easi: easi has 2 columns; name one"),
        ({"columns": {"visit": []}}, r"E105 columns\.visit: no column is named"),
        ({"columns": {"event_day": "d"}}, r"E104 columns\.event_day: mapped, but the event itself is not"),
        (
            {"columns": {"event": "e", "event_day": "d", "event_date": "t"}},
            r"E106 columns\.event_day: event_date is mapped too",
        ),
        ({"columns": {"rescue_day": "d", "rescue_date": "t"}}, "E106 columns.rescue_day: rescue_date is mapped too"),
        ({"columns": {"event": "e", "visit": "e"}}, r"E106 columns\.visit: column \"e\" already plays the role event"),
    ],
)
def test_columns_that_cannot_be_are_refused(study, arguments, message):
    with pytest.raises(ParameterError, match=message):
        study.read(**arguments)


RESCUE = "patient,visit,day,easi,rescue\nA,baseline,0,20,30\nA,week 4,28,9,30\nA,week 12,84,5,30\nB,baseline,0,12,\n"


def test_rescue_medication_is_kept_and_counted(study):
    columns = {"visit": "visit", "day": "day", "rescue_day": "rescue"}
    cohort = study.read(RESCUE, columns=columns)
    assert cohort.patients["rescue_day"].fillna(-1).tolist() == [30, -1]
    assert log(cohort) == [("W224", "easi.csv", "1 patient of 2 had rescue medication")]
    with pytest.raises(DataError, match=r"E274 easi\.csv row 2: rescue medication before day 0"):
        study.read(RESCUE.replace(",30\n", ",-1\n"), columns=columns)


def test_a_date_of_rescue_counts_from_day_0(study):
    text = "patient,visit,date,easi,rescue\nA,baseline,01-01-2024,20,31-01-2024\nB,baseline,01-01-2024,12,\n"
    columns = {"visit": "visit", "date": "date", "rescue_date": "rescue"}
    cohort = study.read(text, columns=columns, date_format="dd-mm-yyyy")
    assert cohort.patients["rescue_day"].fillna(-1).tolist() == [30, -1]
    assert "rescue_date" not in cohort.patients
    lone = {"visit": "visit", "rescue_date": "rescue"}
    with pytest.raises(DataError, match=r"E212 easi\.csv: a rescue date is mapped but no other date"):
        study.read(text, columns=lone, date_format="dd-mm-yyyy")


def test_nobody_with_rescue_medication_is_no_warning(study):
    columns = {"visit": "visit", "rescue_day": "rescue"}
    cohort = study.read("patient,visit,easi,rescue\nA,baseline,20,\n", columns=columns)
    assert cohort.log == ()
    assert cohort.patients["rescue_day"].isna().all()


def test_a_time_that_no_file_has_is_missed(study):
    columns = {"visit": "visit", "day": "dag"}
    with pytest.raises(DataError, match=r"E211 easi\.csv row 1: there is no column \"dag\""):
        study.read(patient_data=("people.csv", PEOPLE), columns=columns)
