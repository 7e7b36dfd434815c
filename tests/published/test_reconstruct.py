"""Reconstructed cohorts: every published figure met, the same bytes again, plausible where nothing was published."""

from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from easitrace.cohort.builtin import BANNER, FILES, cohort_from_files, load_builtin
from easitrace.cohort.cohort import Cohort
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError, MachineError
from easitrace.instruments import EASI, severity
from easitrace.paired import signed_rank
from easitrace.published.figures import compare
from easitrace.published.invent import visit_days
from easitrace.published.reconstruct import files_of, reconstruct, write
from easitrace.published.summary import Summary, read_summary
from easitrace.response.classify import classify

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "parameters" / "reconstruction" / "baricitinib.yml"
SHIPPED = resources.files("easitrace.cohort").joinpath("data", "baricitinib")
TABLES = Path(__file__).parent / "tables"


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return load_builtin("baricitinib")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("baricitinib")
    return folder, write(TABLE, folder)


def test_shipped_files_are_those_the_search_writes(written: tuple[Path, pd.DataFrame]) -> None:
    folder, _ = written
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "summary.yml", "cohort.csv"])
    for name in (*FILES, "summary.yml"):
        assert (folder / name).read_bytes() == SHIPPED.joinpath(name).read_bytes(), name


def test_the_written_table_reads_as_the_same_cohort(written: tuple[Path, pd.DataFrame], cohort: Cohort) -> None:
    names = ["day", "easi", "poem", "dlqi", "itch_nrs", "iga", "age", "sex", "stop_day", "stop_reason", "status"]
    covariates = ["immunosuppressives", "ciclosporin", "corticosteroids", "dupilumab", "dupilumab_months"]
    read = read_cohort(
        written[0] / "cohort.csv",
        columns={"visit": "visit", **{name: name for name in names}},
        visits={"baseline": 0, "week 4": 4, "week 12": 12},
        covariates=covariates,
    )
    pd.testing.assert_frame_equal(read.visits, cohort.visits)
    pd.testing.assert_frame_equal(read.patients[cohort.patients.columns], cohort.patients)
    assert compare(read_summary("baricitinib"), read, assumed=True)["agrees"].all()


def test_every_published_figure_beside_the_computed_one(written: tuple[Path, pd.DataFrame]) -> None:
    _, table = written
    assert table["agrees"].all(), table.to_string()
    beside = dict(zip(table["figure"], table["published"], strict=True))
    # De Wijs et al. as summarised: written out here, not read from the table that was searched
    assert beside == {
        "patients": "25",
        "age: median": "29",
        "months of dupilumab before: median": "7",
        "two or more immunosuppressives before: yes, n": "21",
        "two or more immunosuppressives before: yes, %": "84 %",
        "ciclosporin A before: yes, n": "24",
        "ciclosporin A before: yes, %": "96 %",
        "short courses of systemic corticosteroids before: yes, n": "17",
        "short courses of systemic corticosteroids before: yes, %": "68 %",
        "dupilumab before: yes, n": "25",
        "dupilumab before: yes, %": "100 %",
        "EASI, baseline: n": "25",
        "EASI, baseline: median": "12.8",
        "EASI, week 4: median": "6.2",
        "EASI, week 12: n": "18",
        "EASI, week 12: median": "9.6",
        "EASI, week 4 v baseline: P (Wilcoxon signed-rank)": "= .003",
        "EASI, week 12 v baseline: P (Wilcoxon signed-rank)": "= .006",
        "stopped before week 12": "4",
        "in follow-up, week 12 not reached": "3",
        "class: responder": "7",
        "class: temporary responder": "5",
        "class: non-responder": "8",
    }


def test_the_figures_by_other_means(cohort: Cohort) -> None:
    """Medians, P values (enumerated by SciPy), classes and flow without the code that compares."""
    scores = cohort.wide()
    assert np.nanmedian(scores, axis=0).round(3).tolist() == [12.8, 6.2, 9.6]
    for week, low, high in ((4.0, 0.0025, 0.0035), (12.0, 0.0055, 0.0065)):
        change = (scores[week] - scores[0.0]).dropna().round(6)
        ranks = stats.rankdata(change.abs())
        signs = np.random.default_rng(0).integers(0, 2, (200_000, len(change)))
        sums, observed = signs @ ranks, ranks[change > 0].sum()
        p = 2 * np.mean(sums <= observed)
        assert low - 0.0006 < p < high + 0.0006
    classes = classify(cohort, "easi50", "strict", 12, "while-on-treatment")["class"].value_counts()
    assert classes[classes > 0].to_dict() == {
        "responder": 7,
        "temporary responder": 5,
        "non-responder": 8,
        "stopped for side effects": 2,
        "not classifiable yet": 3,
    }
    assert cohort.patients["status"].value_counts().to_dict() == {"completed": 18, "stopped": 4, "in follow-up": 3}


def test_classes_do_not_hang_on_the_estimand(cohort: Cohort) -> None:
    """Nobody was seen after stopping, so what counts after a stop cannot matter to the three groups."""
    assert not cohort.visits["after_stop"].any()
    for estimand in ("treatment-policy", "hypothetical"):
        classes = classify(cohort, "easi50", "strict", 12, estimand)["class"].value_counts()
        assert classes.iloc[:3].tolist() == [8, 7, 5]


def test_banner_and_dictionary(cohort: Cohort) -> None:
    assert cohort.synthetic == BANNER
    described = set(zip(cohort.dictionary["file"], cohort.dictionary["column"], strict=True))
    columns = {
        (file.removesuffix(".csv"), column)
        for file in FILES[:3]
        for column in SHIPPED.joinpath(file).read_text().splitlines()[0].split(",")
    }
    assert described == columns
    origin = cohort.dictionary.set_index(["file", "column"])["origin"]
    assert set(origin) == {"published", "invented"}
    assert origin["visits", "easi"] == origin["patients", "age"] == "published"
    assert (origin["visits"][["day", "poem", "dlqi", "itch_nrs", "iga"]] == "invented").all()
    assert origin["patients", "sex"] == "invented"
    assert (origin["events"] == "invented").all()


def test_summary_ships_as_it_stands_in_the_repository() -> None:
    assert SHIPPED.joinpath("summary.yml").read_bytes() == TABLE.read_bytes()


def test_the_cohort_is_plausible(cohort: Cohort) -> None:
    scores = cohort.wide()
    assert stats.skew(scores[0.0]) > 0.5
    complete = np.sqrt(scores.dropna())
    assert complete.corr(method="spearman").to_numpy().min() > 0.2
    gain = scores[0.0] - scores[12.0]
    assert gain.corr(scores[0.0]) > 0.3
    assert not cohort.instrument("easi").off_grid(cohort.visits["easi"]).any()
    for name in ("poem", "dlqi", "itch_nrs"):
        assert cohort.visits[name].corr(cohort.visits["easi"]) > 0.6
        change = (cohort.wide(name)[12.0] - cohort.wide(name)[0.0]).dropna()
        assert change.median() < 0
        assert stats.wilcoxon(change, method="approx").pvalue < 0.05
        assert not cohort.instrument(name).out_of_range(cohort.visits[name].dropna()).any()
    bands = severity(cohort.visits["easi"], EASI.bands[0])
    assert (cohort.visits["iga"] == bands.codes).all()


def test_days_stops_and_events_are_in_order(cohort: Cohort) -> None:
    visits, patients = cohort.visits, cohort.patients.set_index("patient")
    assert (visits.loc[visits["week"] == 0, "day"] == 0).all()
    assert ((visits["day"] - 7 * visits["week"]).abs() <= 6).all()
    last = visits.groupby("patient")["day"].max()
    stopped = patients[patients["status"] == "stopped"]
    assert (stopped["stop_day"] > last[stopped.index]).all()
    end = patients["stop_day"].fillna(last)
    events = cohort.events
    assert (events["day"] <= end[events["patient"]].to_numpy()).all()
    assert not events.duplicated(["patient", "event"]).any()
    for patient in stopped.index[stopped["stop_reason"] == "side effects"]:
        assert (
            events.loc[events["patient"] == patient, "event"]
            .isin(["nausea", "blood creatine phosphokinase increased"])
            .any()
        )


def test_flow_adds_up(cohort: Cohort) -> None:
    by_visit = cohort.flow[cohort.flow["detail"] != ""].groupby("detail")["n"].sum()
    assert by_visit.to_dict() == {"baseline": 25, "week 4": 25, "week 12": 25}


@pytest.mark.parametrize("name", ["medians", "means"])
def test_other_tables_are_met(name: str) -> None:
    """Medians and quartiles of 117 patients with EASI-75 counts; means and SDs of 47 at four visits with classes."""
    summary = read_summary(TABLES / f"{name}.yml")
    table = compare(summary, reconstruct(summary), assumed=True)
    assert table["agrees"].all(), table.to_string()
    assert len(table) > 18


def classified(decision_week: int, counts: dict[str, int]) -> Summary:
    """30 patients at four visits, some absent here and there."""
    visits = {
        "start": {"week": 0, "n": 30, "median": "14.0"},
        "week 4": {"week": 4, "n": 28},
        "week 12": {"week": 12, "n": 22, "median": "7.1"},
        "week 24": {"week": 24, "n": 25},
    }
    classes = {"criterion": "easi<=7", "decision_week": decision_week, "estimand": "treatment-policy"}
    table = {"study": "late", "source": "", "seed": 4, "patients": 30, "visits": visits}
    return Summary.model_validate(table | {"classes": classes | {"counts": counts}})


def test_classes_judged_at_a_visit_before_the_last() -> None:
    """A patient absent in the decision week and seen later is judged later; one absent at both is in no class."""
    counts = {"responder": 15, "temporary responder": 4, "non-responder": 10, "not classifiable, visit missing": 1}
    summary = classified(12, counts)
    cohort = reconstruct(summary)
    assert compare(summary, cohort)["agrees"].all()
    scores = cohort.wide()
    assert (scores[12.0].isna() & scores[24.0].notna()).any()
    assert (scores[12.0].isna() & scores[24.0].isna()).sum() == 1


@pytest.mark.parametrize(
    ("decision_week", "counts", "message"),
    [
        (24, {"responder": 15, "non-responder": 11}, r"E284 class counts: 15 \+ 11 leaves 26 for the 25 patients seen"),
        (
            12,
            {"responder": 12, "temporary responder": 4},
            r"E284 class counts: 12 \+ 4 leaves 16 for the \d\d patients",
        ),
    ],
)
def test_class_counts_that_the_flow_cannot_give(decision_week: int, counts: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        reconstruct(classified(decision_week, counts))


def test_more_stopped_for_inefficacy_than_non_responders(tmp_path: Path) -> None:
    text = TABLE.read_text(encoding="utf-8").replace("non-responder: 8", "non-responder: 1")
    path = tmp_path / "table.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="E284 class: non-responder: fewer than the 2 who stopped for inefficacy"):
        write(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_visits_that_the_jitter_would_let_change_places() -> None:
    summary = read_summary("baricitinib")
    close = summary.model_copy(update={"invented": summary.invented.model_copy(update={"day_jitter": 14})})
    with pytest.raises(DataError, match=r"E288 invented.day_jitter: 14 days around visits 28 days apart; take less"):
        visit_days(close, np.random.default_rng(1))
    near = summary.model_copy(update={"invented": summary.invented.model_copy(update={"day_jitter": 13})})
    days = visit_days(near, np.random.default_rng(1))
    assert (np.diff(days, axis=1) > 0).all() and (np.abs(days - [0, 28, 84]) <= 13).all()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(MachineError, match=r"E602 .*file"):
        write(TABLES / "medians.yml", tmp_path / "file")


def test_scores_of_which_more_is_better() -> None:
    """A declared outcome from 0 to 100 that rises; nobody starts at the best score."""
    instrument = {"name": "qol", "minimum": 0, "maximum": 100, "grid": 1, "better": "higher"}
    visits = {
        "start": {"week": 0, "n": 24, "median": "41.5", "q1": "30", "q3": "50"},
        "week 8": {"week": 8, "n": 21, "mean": "60.1", "sd": "18.3"},
    }
    table = {"study": "qol", "source": "", "seed": 2, "patients": 24, "outcome": "qol", "instrument": instrument}
    responses = [
        {"criterion": "qol50", "visit": "week 8", "count": 9},
        {"criterion": "rise>=10", "visit": "week 8", "count": 14},
    ]
    tests = [{"visit": "week 8", "against": "start", "p": "= .002"}]
    summary = Summary.model_validate(table | {"visits": visits, "responses": responses, "tests": tests})
    cohort = reconstruct(summary)
    assert cohort.instrument().better == "higher"
    assert compare(summary, cohort)["agrees"].all()


def described(scores: np.ndarray, weeks: list[int], kind: tuple[str, ...], p_digits: int) -> dict[str, object]:
    """The table a paper would print of these scores."""
    functions = {
        "median": np.median,
        "q1": lambda x: np.quantile(x, 0.25),
        "q3": lambda x: np.quantile(x, 0.75),
        "mean": np.mean,
        "sd": lambda x: np.std(x, ddof=1),
    }
    visits, tests = {}, []
    for k, week in enumerate(weeks):
        seen = scores[~np.isnan(scores[:, k]), k]
        figures = {name: f"{functions[name](seen):.1f}" for name in kind}
        visits[f"week {week}"] = {"week": week, "n": len(seen), **figures}
        if k:
            change = (scores[:, k] - scores[:, 0]).round(6)
            p = signed_rank(change[~np.isnan(change)]).p
            tests.append(
                {"visit": f"week {week}", "against": "week 0", "p": "< .001" if p < 0.001 else f"= {p:.{p_digits}f}"}
            )
    met = int(np.nansum(2 * scores[:, -1] <= scores[:, 0]))
    responses = [{"criterion": "easi50", "visit": f"week {weeks[-1]}", "count": met}]
    return {"visits": visits, "tests": tests, "responses": responses}


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_a_table_computed_from_a_cohort_can_be_met(seed: int) -> None:
    """Some cohort has these figures, so the search must find one."""
    rng = np.random.default_rng(seed)
    n, weeks = int(rng.integers(12, 60)), [[0, 8], [0, 4, 12], [0, 2, 8, 24]][seed % 3]
    level = rng.gamma(4, 5, size=(n, 1))
    scores = np.minimum(level * rng.lognormal(-0.3, 0.6, size=(n, len(weeks))), 72).round(1) + 0.1
    late = rng.random((n, len(weeks))) < 0.15
    late[:, 0] = False
    scores = np.where(late, np.nan, np.minimum(scores.round(1), 72))
    kind = [("median", "q1", "q3"), ("mean", "sd"), ("median", "mean")][seed % 3]
    table = described(scores, weeks, kind, p_digits=2)
    summary = Summary.model_validate({"study": "known", "source": "simulated", "seed": seed, "patients": n, **table})
    found = compare(summary, reconstruct(summary))
    assert found["agrees"].all(), found.to_string()


def test_another_seed_is_another_cohort_with_the_same_figures() -> None:
    entry = {"week": 0, "n": 30, "median": "12.8"}
    later = {"week": 4, "n": 28, "median": "6.2"}
    table = {"study": "two", "source": "", "patients": 30, "visits": {"a": entry, "b": later}}
    one, same, other = (files_of(Summary.model_validate(table | {"seed": seed})) for seed in (1, 1, 2))
    assert one == same
    assert one["visits.csv"] != other["visits.csv"]
    for files in (one, other):
        assert np.nanmedian(cohort_from_files(files, "two").wide(), axis=0).round(3).tolist() == [12.8, 6.2]


def test_a_figure_that_contradicts_the_others_is_named() -> None:
    """Each figure is possible by itself; a mean of 30 is not, with an upper quartile of 9 and a maximum of 72."""
    visit = {"week": 0, "n": 20, "q3": "9.0", "mean": "30.0"}
    table = {"study": "odd", "source": "", "seed": 1, "patients": 20, "visits": {"start": visit}}
    with pytest.raises(DataError, match=r"E287 EASI, start: (mean 30\.0|q3 9\.0)"):
        reconstruct(Summary.model_validate(table))


def test_a_cohort_that_lacks_something_is_compared_as_far_as_it_goes(cohort: Cohort) -> None:
    summary = read_summary(TABLES / "means.yml")
    table = compare(summary, cohort).set_index("figure")
    assert table.loc["EASI, week 8: mean", ["computed", "agrees"]].isna().all()
    assert table.loc["class: responder"].isna()[["computed", "agrees"]].all()
    assert table.loc["EASI, start: n", "computed"] == 25
    assert not table.loc["EASI, start: n", "agrees"]


def test_assumed_figures_are_not_listed_as_published(cohort: Cohort) -> None:
    summary = read_summary("baricitinib")
    published, both = compare(summary, cohort), compare(summary, cohort, assumed=True)
    assert both["agrees"].all()
    only = set(both["figure"]) - set(published["figure"])
    assert {"EASI, week 4: n", "sex: female, n", "stopped before week 12: inefficacy"} < only
