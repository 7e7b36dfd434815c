"""One cohort of 60 patients, written as the files that people have: every format and layout that is read.

An export is a function that writes files into a folder and returns the arguments of `read_cohort`, `data` among them.
"""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from easitrace.scores import easi_from_regions

Arguments = dict[str, Any]
Export = Callable[[Path], Arguments]

VISITS = {"baseline": 0, "week 4": 4, "week 12": 12}
WINDOWS = {"baseline": [-7, 3], "week 4": [14, 42], "week 12": [56, 112]}
REGIONS = ("head", "upper_limbs", "trunk", "lower_limbs")
SIGNS = ("erythema", "induration", "excoriation", "lichenification")
PEOPLE = ("age", "sex", "start_date", "stop_date", "stop_reason", "status")
BASE: Arguments = {"visits": VISITS}
NAMES = {name: name for name in ("visit", "date", "easi", "poem", *PEOPLE)}
DAYS_FIRST = "%d-%m-%Y"
EXPORTS: dict[str, Export] = {}


def export(write: Export) -> Export:
    """Add a function to the exports, under its name."""
    EXPORTS[write.__name__] = write
    return write


def _cohort() -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray, np.ndarray]:
    """Visits (dates, EASI, POEM), patients, and the regions' signs and areas that the EASI comes from."""
    rng = np.random.default_rng(60)
    visits, people, signs, areas = [], [], [], []
    for number in range(1, 61):
        patient, start = (
            f"EMC-{number:03d}",
            datetime.date(2021, 3, 1) + datetime.timedelta(days=int(rng.integers(200))),
        )
        stops = number % 5 == 0
        stop = start + datetime.timedelta(days=int(rng.integers(30, 80))) if stops else None
        reason = ["inefficacy", "side effects", "other"][number % 3] if stops else None
        status = "stopped" if stops else "in follow-up" if number % 17 == 0 else "completed"
        people.append((patient, int(rng.integers(18, 80)), ["female", "male"][number % 2], start, stop, reason, status))
        for order, (label, week) in enumerate(VISITS.items()):
            if order and rng.random() < 0.15:
                continue
            day = start + datetime.timedelta(days=7 * week + (int(rng.integers(-5, 6)) if order else 0))
            sign, area = rng.integers(0, 4, (4, 4)), rng.integers(1, 7 - 2 * order + order // 2, 4)
            poem = float(rng.integers(0, 29)) if rng.random() > 0.1 else np.nan
            visits.append((patient, label, day, poem))
            signs.append(sign)
            areas.append(area)
    table = pd.DataFrame(visits, columns=["patient", "visit", "date", "poem"])
    table.insert(3, "easi", easi_from_regions(np.array(signs), np.array(areas)).round(1))
    table.loc[[4, 40, 77], "easi"] = np.nan
    table.loc[[4, 40, 77], "poem"] = [3.0, 11.0, 20.0]
    patients = pd.DataFrame(people, columns=["patient", *PEOPLE])
    return table, patients, np.array(signs), np.array(areas)


SCORES, PATIENTS, SIGNS_OF, AREAS_OF = _cohort()


def long() -> pd.DataFrame:
    """A row per visit with everything that is known of the patient."""
    return SCORES.merge(PATIENTS, on="patient")


def wide(names: dict[str, str]) -> pd.DataFrame:
    """A row per patient; `names` is {visit: what stands for it in a column's name}."""
    table = SCORES.assign(visit=SCORES["visit"].map(names)).pivot(index="patient", columns="visit")
    table.columns = [f"{what}{visit}" for what, visit in table.columns]
    return PATIENTS.merge(table.reset_index(), on="patient")


def number(value: Any, decimal: str = ".") -> str:
    """A score as a person types it; blank when missing."""
    return "" if pd.isna(value) else f"{value:g}".replace(".", decimal)


def texts(table: pd.DataFrame, decimal: str = ".", dates: str = "%Y-%m-%d") -> pd.DataFrame:
    """All cells as text."""

    def text(value: Any) -> str:
        if isinstance(value, datetime.date):
            return value.strftime(dates)
        return number(value, decimal) if isinstance(value, int | float) or value is None else str(value)

    return table.map(text)


def written(
    table: pd.DataFrame, path: Path, sep: str = ",", end: str = "\n", head: str = "", encoding: str = "utf-8"
) -> str:
    """Write a table of texts and return the path."""
    path.write_bytes((head + table.to_csv(sep=sep, index=False, lineterminator=end)).encode(encoding))
    return str(path)


ISO = {**BASE, "columns": NAMES, "date_format": "yyyy-mm-dd"}
DUTCH = {**BASE, "columns": NAMES, "date_format": "dd-mm-yyyy", "decimal": ","}


@export
def csv(folder: Path) -> Arguments:
    return {**ISO, "data": written(texts(long()), folder / "c.csv")}


@export
def dutch_csv(folder: Path) -> Arguments:
    table = texts(long(), ",", DAYS_FIRST)
    return {**DUTCH, "data": written(table, folder / "c.csv", ";", "\r\n", encoding="utf-8-sig")}


@export
def excel_csv(folder: Path) -> Arguments:
    table = texts(long(), ",", DAYS_FIRST)
    return {**DUTCH, "data": written(table, folder / "c.csv", ";", "\r\n", head="sep=;\r\n", encoding="cp1252"),
            "encoding": "cp1252"}  # fmt: skip


@export
def tab_utf16(folder: Path) -> Arguments:
    return {**ISO, "data": written(texts(long()), folder / "c.tsv", "\t", encoding="utf-16"), "encoding": "utf-16"}


@export
def by_week(folder: Path) -> Arguments:
    table = long().assign(visit=lambda rows: rows["visit"].map(VISITS)).rename(columns={"visit": "week"})
    columns = {"week" if role == "visit" else role: "week" if role == "visit" else name for role, name in NAMES.items()}
    return {**ISO, "columns": columns, "data": written(texts(table), folder / "c.csv")}


@export
def by_date(folder: Path) -> Arguments:
    columns = {role: name for role, name in NAMES.items() if role != "visit"}
    table = texts(long().drop(columns="visit"))
    return {**ISO, "columns": columns, "windows": WINDOWS, "data": written(table, folder / "c.csv")}


@export
def unscheduled(folder: Path) -> Arguments:
    table = long()
    extra = table.iloc[::9].assign(visit="EXTRA", easi=50.0)
    both = texts(pd.concat([table, extra]))
    return {**ISO, "unscheduled": ["EXTRA"], "data": written(both, folder / "c.csv")}


@export
def wide_suffixes(folder: Path) -> Arguments:
    table = wide({"baseline": ".2", "week 4": ".3", "week 12": ".4"})
    columns = {"easi": "easi.*", "poem": "poem.*", "date": "date.*", **{name: name for name in PEOPLE}}
    recode = {"visit": {"2": "baseline", "3": "week 4", "4": "week 12"}}
    return {**ISO, "columns": columns, "values": recode, "data": written(texts(table), folder / "c.csv")}


@export
def joined_csv(folder: Path) -> Arguments:
    poem = SCORES[["patient", "visit", "poem"]].dropna()
    return {
        **ISO,
        "data": written(texts(SCORES.drop(columns="poem")), folder / "visits.csv"),
        "visit_data": [written(texts(poem), folder / "poem.csv")],
        "patient_data": written(texts(PATIENTS), folder / "patients.csv"),
    }


@export
def regions(folder: Path) -> Arguments:
    table, columns = long(), {role: name for role, name in NAMES.items() if role != "easi"}
    unseen = table["easi"].isna().to_numpy()
    parts = {}
    for i, region in enumerate(REGIONS):
        parts[f"easi_{region}_area"] = np.where(unseen, np.nan, AREAS_OF[:, i])
        for j, sign in enumerate(SIGNS):
            parts[f"easi_{region}_{sign}"] = np.where(unseen, np.nan, SIGNS_OF[:, i, j])
    table = table.drop(columns="easi").assign(**parts)
    columns |= {name: name for name in parts}
    return {**ISO, "columns": columns, "data": written(texts(table), folder / "c.csv")}


@export
def excel(folder: Path) -> Arguments:
    path = folder / "c.xlsx"
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        pd.DataFrame({"about": ["exported for the test"]}).to_excel(writer, sheet_name="Info", index=False)
        long().to_excel(writer, sheet_name="Data", index=False, startrow=2)
    return {**BASE, "columns": NAMES, "data": str(path), "sheet": "Data", "header_row": 3}


@export
def excel_text(folder: Path) -> Arguments:
    path = folder / "c.xlsx"
    texts(long(), ",", DAYS_FIRST).replace("", None).to_excel(path, index=False)
    return {**DUTCH, "data": str(path)}


@export
def excel_1904(folder: Path) -> Arguments:
    import openpyxl
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book, path = openpyxl.Workbook(), folder / "c.xlsx"
    book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    sheet.append(list(long().columns))
    for row in long().astype(object).itertuples(index=False):
        sheet.append([None if pd.isna(value) else value for value in row])
    book.save(path)
    return {**BASE, "columns": NAMES, "data": str(path)}


@export
def workbook_of_sheets(folder: Path) -> Arguments:
    path = folder / "study.xlsx"
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        SCORES.to_excel(writer, sheet_name="Visits", index=False)
        PATIENTS.to_excel(writer, sheet_name="Patients", index=False)
    return {**BASE, "columns": NAMES, "data": str(path), "sheet": "Visits", "patient_data": f"{path}#Patients"}


CODES = {
    "visit": {"baseline": 1, "week 4": 2, "week 12": 3},
    "sex": {"female": 1, "male": 2},
    "stop_reason": {"inefficacy": 1, "side effects": 2, "other": 9},
    "status": {"completed": 1, "stopped": 2, "in follow-up": 3},
}


def coded() -> pd.DataFrame:
    """Words as codes, as statistical programs have them."""
    table = long()
    return table.assign(**{name: table[name].map(codes) for name, codes in CODES.items()})


def labels() -> dict[str, dict[float, str]]:
    return {name: {float(code): word for word, code in codes.items()} for name, codes in CODES.items()}


@export
def spss(folder: Path) -> Arguments:
    import pyreadstat

    table, path = coded(), folder / "c.sav"
    table["easi"] = table["easi"].fillna(-99.0)
    pyreadstat.write_sav(table, str(path), variable_value_labels=labels(), missing_ranges={"easi": [-99.0]})
    return {**BASE, "columns": NAMES, "data": str(path)}


@export
def spss_wide(folder: Path) -> Arguments:
    import pyreadstat

    table, path = wide({"baseline": "_TOTAL.2", "week 4": "_TOTAL.3", "week 12": "_TOTAL.4"}), folder / "c.sav"
    pyreadstat.write_sav(table, str(path))
    columns = {name: f"{name}_TOTAL.*" for name in ("easi", "poem", "date")} | {name: name for name in PEOPLE}
    recode = {"visit": {"2": "baseline", "3": "week 4", "4": "week 12"}}
    return {**BASE, "columns": columns, "values": recode, "data": str(path)}


@export
def stata(folder: Path) -> Arguments:
    import pyreadstat

    table, path = coded(), folder / "c.dta"
    whole = {name: {int(code): word for code, word in own.items()} for name, own in labels().items()}
    pyreadstat.write_dta(table, str(path), variable_value_labels=whole)
    return {**BASE, "columns": NAMES, "data": str(path)}


@export
def sas_transport(folder: Path) -> Arguments:
    import pyreadstat

    short = {name: name.replace("stop_reason", "stoprsn").replace("_", "")[:8].upper() for name in long().columns}
    path = folder / "c.xpt"
    pyreadstat.write_xport(long().rename(columns=short), str(path), file_format_version=5)
    columns = {role: short[name] for role, name in NAMES.items()} | {"patient": short["patient"]}
    return {**BASE, "columns": columns, "data": str(path)}


@export
def parquet(folder: Path) -> Arguments:
    path = folder / "c.parquet"
    long().to_parquet(path)
    return {**BASE, "columns": NAMES, "data": str(path)}


REDCAP_COLUMNS = {"easi": "easi_total", "poem": "poem_total", "date": "visit_date",
                  **{name: name for name in PEOPLE}}  # fmt: skip


def _redcap(events: dict[str, str], recode: dict[str, dict[str, str]]) -> pd.DataFrame:
    """A demographics event with what is known of a patient, an event for each visit, a repeat of adverse events."""
    scores = SCORES.rename(
        columns={"easi": "easi_total", "poem": "poem_total", "date": "visit_date", "patient": "record_id"}
    )
    scores["redcap_event_name"] = scores.pop("visit").map(events)
    people = PATIENTS.rename(columns={"patient": "record_id"}).assign(redcap_event_name=events["people"])
    for name, words in recode.items():
        people[name] = people[name].map(words)
    event = (
        people[["record_id", "redcap_event_name"]]
        .iloc[::4]
        .assign(redcap_repeat_instrument="adverse_event", redcap_repeat_instance="1", ae_term="headache")
    )
    table = pd.concat([people, event, scores], ignore_index=True)
    first = ["record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"]
    return table[first + [name for name in table if name not in first]].sort_values("record_id", kind="stable")


@export
def redcap_raw(folder: Path) -> Arguments:
    events = {
        "people": "demographics_arm_1",
        "baseline": "baseline_arm_1",
        "week 4": "week_4_arm_1",
        "week 12": "week_12_arm_1",
    }
    raw = {name: {word: str(code) for word, code in CODES[name].items()} for name in ("sex", "stop_reason", "status")}
    values = {name: {code: word for word, code in codes.items()} for name, codes in raw.items()}
    values["visit"] = {event: label for label, event in events.items() if label != "people"}
    return {**BASE, "format": "redcap", "columns": REDCAP_COLUMNS, "values": values, "date_format": "yyyy-mm-dd",
            "data": written(texts(_redcap(events, raw)), folder / "c.csv")}  # fmt: skip


@export
def redcap_labels(folder: Path) -> Arguments:
    events = {"people": "Demographics", **{label: label.capitalize() for label in VISITS}}
    names = {
        "record_id": "Record ID",
        "redcap_event_name": "Event Name",
        "redcap_repeat_instrument": "Repeat Instrument",
        "redcap_repeat_instance": "Repeat Instance",
        "easi_total": "EASI total score",
    }
    table = _redcap(events, {}).rename(columns=names)
    columns = REDCAP_COLUMNS | {"easi": "EASI total score"}
    values = {"visit": {event: label for label, event in events.items() if label != "people"}}
    return {**BASE, "format": "redcap", "columns": columns, "values": values, "date_format": "yyyy-mm-dd",
            "data": written(texts(table), folder / "c.csv")}  # fmt: skip


@export
def redcap_repeats(folder: Path) -> Arguments:
    instances = {"baseline": "1", "week 4": "2", "week 12": "3"}
    table = _redcap({"people": "", **instances}, {}).drop(
        columns=["redcap_repeat_instance", "redcap_repeat_instrument", "ae_term"]
    )
    table = table.drop_duplicates().rename(columns={"redcap_event_name": "redcap_repeat_instance"})
    table.insert(1, "redcap_repeat_instrument", np.where(table["redcap_repeat_instance"] == "", "", "visit"))
    values = {"visit": {instance: label for label, instance in instances.items()}}
    return {**BASE, "format": "redcap", "columns": REDCAP_COLUMNS, "values": values, "date_format": "yyyy-mm-dd",
            "data": written(texts(table), folder / "c.csv")}  # fmt: skip


@export
def castor(folder: Path) -> Arguments:
    table = texts(wide({"baseline": "_wk0", "week 4": "_wk4", "week 12": "_wk12"}), dates=DAYS_FIRST)
    for name in ("easi_wk4", "easi_wk12"):
        table.loc[table[name] == "", name] = "-97"
    table.loc[table["date_wk12"] == "", "date_wk12"] = "01-01-2996"
    table.loc[table["stop_reason"] == "", "stop_reason"] = "##USER_MISSING_96##"
    table.insert(1, "Participant Status", "Not Set")
    table = table.rename(columns={"patient": "Participant Id"})
    columns = {name: f"{name}_wk*" for name in ("easi", "poem", "date")} | {name: name for name in PEOPLE}
    recode = {"visit": {"0": "baseline", "4": "week 4", "12": "week 12"}}
    return {
        **BASE,
        "format": "castor",
        "columns": columns,
        "values": recode,
        "data": written(table, folder / "c.csv", ";"),
    }


@export
def castor_repeats(folder: Path) -> Arguments:
    scores = texts(SCORES, dates=DAYS_FIRST).rename(
        columns={"patient": "Participant Id", "visit": "Report Name Custom"}
    )
    scores.loc[scores["poem"] == "", "poem"] = "-99"
    people = texts(PATIENTS, dates=DAYS_FIRST).rename(columns={"patient": "Participant Id"})
    people.loc[people["stop_date"] == "", "stop_date"] = "31-12-2995"
    return {
        **BASE,
        "format": "castor",
        "columns": NAMES | {"visit": "Report Name Custom"},
        "data": written(scores, folder / "visits.csv", ";"),
        "patient_data": written(people, folder / "study.csv", ";"),
    }


def bds() -> pd.DataFrame:
    """An ADaM basic data structure with a screening visit, a carried-forward record and a record not for analysis."""
    starts = PATIENTS.set_index("patient")["start_date"]
    parts = []
    for code, name in (("EASITOT", "easi"), ("POEM", "poem")):
        own = SCORES[["patient", "visit", "date", name]].dropna().rename(columns={name: "AVAL"}).assign(PARAMCD=code)
        parts.append(own.assign(BASE=own["patient"].map(own[own["visit"] == "baseline"].set_index("patient")["AVAL"])))
    table = pd.concat(parts, ignore_index=True)
    days = (pd.to_datetime(table["date"]) - pd.to_datetime(table["patient"].map(starts))).dt.days
    table["ADY"] = days + (days >= 0)
    table["CHG"] = (table["AVAL"] - table["BASE"]).round(10)
    baseline = table["visit"] == "baseline"
    table = table.assign(ABLFL=np.where(baseline, "Y", ""), ANL01FL="Y", DTYPE="", AVISIT=table["visit"])
    screening = table[baseline].iloc[::3].assign(AVISIT="Screening", ABLFL="", ANL01FL="", AVAL=60.0, ADY=-14)
    screening = screening.assign(CHG=screening["AVAL"] - screening["BASE"])
    carried = table[table["visit"] == "week 4"].iloc[::4].assign(AVISIT="week 12", DTYPE="LOCF")
    table = pd.concat([table, screening, carried], ignore_index=True).rename(columns={"patient": "USUBJID"})
    return table.drop(columns=["visit", "date"])[
        ["USUBJID", "PARAMCD", "AVISIT", "ADY", "AVAL", "BASE", "CHG", "ABLFL", "ANL01FL", "DTYPE"]
    ]


@export
def adam(folder: Path) -> Arguments:
    import pyreadstat

    adsl = PATIENTS.rename(columns={"patient": "USUBJID", "age": "AGE", "stop_reason": "DCTREAS", "status": "EOTSTT",
                                    "start_date": "TRTSDT", "stop_date": "TRTEDT"})  # fmt: skip
    adsl = adsl.assign(SEX=adsl.pop("sex").map({"female": "F", "male": "M"}), ITTFL="Y")
    pyreadstat.write_xport(bds(), str(folder / "adeff.xpt"), file_format_version=5)
    pyreadstat.write_xport(adsl, str(folder / "adsl.xpt"), file_format_version=5)
    columns = {"easi": "EASITOT", "poem": "POEM", "age": "AGE", "sex": "SEX", "start_date": "TRTSDT",
               "stop_date": "TRTEDT", "stop_reason": "DCTREAS", "status": "EOTSTT"}  # fmt: skip
    files = {"data": str(folder / "adeff.xpt"), "patient_data": str(folder / "adsl.xpt")}
    values = {"sex": {"F": "female", "M": "male"}}
    return {**BASE, **files, "format": "adam", "columns": columns, "values": values, "only": {"ITTFL": ["Y"]}}
