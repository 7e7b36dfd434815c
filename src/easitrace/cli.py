"""The commands of `easitrace`: run, check, compare, reconstruct, new, export, scan.

Exit codes: 0 done, 2 parameters, 3 data, 4 a chapter or a model, 5 disclosure, 6 the machine, 70 a bug of ours, 130
and 143 when interrupted or ended from outside.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from easitrace.errors import EasitraceError, Problem

if TYPE_CHECKING:
    from easitrace.cohort.cohort import Cohort
    from easitrace.parameters import Parameters
    from easitrace.report.disclosure.sharing import Sharing
    from easitrace.report.render import Study

BUG = 70
INTERRUPTED = 128 + signal.SIGINT
ENDED = 128 + signal.SIGTERM
app = typer.Typer(
    help="From a spreadsheet of eczema scores to a publishable report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ParameterFile = Annotated[Path, typer.Argument(metavar="PARAMS", help="Parameter file, e.g. parameters/x.yml.")]


@app.command()
def run(
    params: ParameterFile,
    output: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
    notebooks: Annotated[Path | None, typer.Option(help="Folder of the chapters.", show_default="notebooks")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Chapters at once.", show_default="cores")] = None,
    time_limit: Annotated[int, typer.Option(min=1, help="Seconds a cell may take.")] = 900,
) -> None:
    """Check parameters and data, execute the chapters, write the report."""
    from easitrace.report.kernels import Kernels

    with Kernels() as kernels:
        parameters = _parameters(params)
        cohort = _cohort(parameters)
        from easitrace.report.progress import progress
        from easitrace.report.run import Request, run_report

        request = Request(
            study=_study(parameters, cohort),
            arguments=parameters.for_chapter,
            notebooks=notebooks or _notebooks(),
            reports=output,
            about=_about(parameters, cohort),
            sources={source.path: source.sha256 for source in cohort.sources},
            show_code=parameters.show_code,
            formats=parameters.formats,
            sharing=_sharing(parameters, cohort),
            workers=workers or os.cpu_count() or 1,
            time_limit=time_limit,
        )
        with progress() as tell:
            report = run_report(request, kernels, tell)
    typer.echo(report)
    for line in _passed_on(report):
        typer.echo(line)


@app.command()
def check(
    params: ParameterFile,
    format: Annotated[Literal["text", "json"], typer.Option(help="How problems are printed.")] = "text",
) -> None:
    """Check parameters and data only: every problem at once, nothing written."""
    try:
        cohort = _cohort(_parameters(params))
    except EasitraceError as error:
        if format == "text":
            raise
        _print_json(error.problems)
        raise typer.Exit(error.exit_code) from error
    if format == "json":
        _print_json(cohort.log)
    else:
        for problem in cohort.log:
            typer.echo(problem)
        typer.echo(f"{params}: {_size(cohort)}; nothing in the way of a report")


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="Folder of a report, e.g. reports/x.")],
    second: Annotated[Path, typer.Argument(metavar="SECOND", help="Folder of another report.")],
    format: Annotated[Literal["text", "json", "html"], typer.Option(help="How the comparison is printed.")] = "text",
) -> None:
    """Say which parameters of two reports differ and which numbers moved."""
    from easitrace.report import compare as comparing

    printed = {"text": comparing.as_text, "json": comparing.as_json, "html": comparing.as_html}
    typer.echo(printed[format](comparing.compare(first, second)))


@app.command()
def reconstruct(
    summary: Annotated[Path, typer.Argument(metavar="SUMMARY", help="Published figures, a YAML file.")],
    output: Annotated[Path, typer.Option(help="Folder for the cohort's files.")] = Path("cohort"),
) -> None:
    """Write a synthetic cohort whose figures equal every published one."""
    from easitrace.published.reconstruct import write

    write(summary, output)
    typer.echo(output)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the study and of its parameter file.")],
    data: Annotated[Path, typer.Option(help="The data file.")],
    format: Annotated[str | None, typer.Option(help="Its format, when the file does not tell.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook that has several.")] = None,
    header_row: Annotated[int, typer.Option(min=1, help="Row of the column names.")] = 1,
    output: Annotated[Path, typer.Option(help="Folder of the parameter file.")] = Path("parameters"),
) -> None:
    """Propose a parameter file for a data file, with marks on what is unsure and what only you can decide."""
    from easitrace.cohort.proposal.proposal import propose
    from easitrace.parameters.new import write_new

    path, marked = write_new(name, data, propose(data, format, sheet, header_row), output)
    for line in marked:
        typer.echo(line)
    typer.echo(path)


@app.command()
def export(
    params: ParameterFile,
    output: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("export"),
    format: Annotated[Literal["csv", "parquet"], typer.Option(help="Kind of the files.")] = "csv",
) -> None:
    """Write the checked cohort as tidy files with a data dictionary. They hold patients' data."""
    from easitrace.cohort.export import write_cohort

    for path in write_cohort(_cohort(_parameters(params)), output, format):
        typer.echo(path)


@app.command()
def scan(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False, help="What was produced.")],
    identifiers: Annotated[Path, typer.Option(help="The data file, with --column, or a list, one to a line.")],
    column: Annotated[str | None, typer.Option(help="Column of the identifiers.", show_default=False)] = None,
) -> None:
    """Search every file of a folder for patient identifiers; exit code 5 when there is one."""
    from easitrace.report.disclosure.scan import read_identifiers
    from easitrace.report.disclosure.scan import scan as search

    outcome = search(folder, read_identifiers(identifiers, column))
    for warning in outcome.warnings:
        typer.echo(warning)
    outcome.clean()
    typer.echo(f"{folder}: none of {outcome.identifiers} identifiers in {outcome.files} files")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; every failure ends with a short message and its exit code."""
    signal.signal(signal.SIGTERM, _end)
    try:
        app(arguments, standalone_mode=True)
    except EasitraceError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted; nothing has changed", INTERRUPTED)
    except Exception as error:  # noqa: BLE001  (the last place that can say so without a traceback)
        place = _place(error)
        _fail(f"a bug in easitrace: {type(error).__name__}: {error} ({place}); please report it", BUG)


def _end(*_: Any) -> None:
    sys.exit(ENDED)


def _fail(message: str, code: int) -> None:
    typer.echo(message, err=True)
    sys.exit(code)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown place"


def _parameters(path: Path) -> "Parameters":
    from easitrace.parameters import read_parameters

    return read_parameters(path)


def _cohort(parameters: "Parameters") -> "Cohort":
    from easitrace.cohort.read import read_cohort

    return read_cohort(parameters.data, **parameters.cohort_arguments())


def _notebooks() -> Path:
    """The chapters of the folder one works in, or else of the repository the package runs from."""
    here = Path("notebooks")
    return here if here.is_dir() else Path(__file__).parents[2] / "notebooks"


def _study(parameters: "Parameters", cohort: "Cohort") -> "Study":
    from easitrace import __version__
    from easitrace.report.render import Study

    facts = (
        ("Study", parameters.study),
        ("Cohort", _size(cohort)),
        ("Data", _data(parameters, cohort)),
        ("Data cut", _data_cut(cohort)),
        ("Outcome", cohort.instrument().label),
        ("Analysis", f"easitrace {__version__}"),
        ("Disclosure", "internal: contains patient-level detail"),
    )
    return Study(parameters.study, parameters.title, facts, cohort.synthetic)


def _sharing(parameters: "Parameters", cohort: "Cohort") -> "Sharing | None":
    """How the run is shared with others; None when it is internal."""
    from easitrace.report.disclosure.profiles import INTERNAL, Interval, profile_named
    from easitrace.report.disclosure.sharing import Sharing
    from easitrace.response.criteria import criterion_label

    if parameters.disclosure == INTERNAL:
        return None
    return Sharing(
        profile=profile_named(parameters.disclosure, parameters.min_cell),
        identifiers=list(cohort.identifiers),
        outcome=cohort.instrument().label,
        scale=parameters.scale,
        interval=Interval(parameters.interval, parameters.level),
        style=parameters.for_chapter(["style"])["style"],
        criterion=partial(criterion_label, cohort=cohort),
        methods=_methods(parameters, cohort),
        flow=cohort.flow,
        judged=(parameters.criterion, parameters.decision_week),
        cut=cohort.calendar.cut,
    )


def _methods(parameters: "Parameters", cohort: "Cohort") -> str:
    from easitrace.report.disclosure.methods import NEEDED, methods_paragraph
    from easitrace.response.criteria import criterion_label

    outcome, criterion = cohort.instrument().label, criterion_label(parameters.criterion, cohort)
    return methods_paragraph(parameters.for_chapter(NEEDED), outcome, criterion)


def _passed_on(report: Path) -> list[str]:
    """Where the report for others is, and what the search in it could not tell."""
    record = json.loads((report.parent / "manifest.json").read_text(encoding="utf-8")).get("sharing")
    return [str(report.parent / "share" / report.name), *record["warnings"]] if record else []


def _size(cohort: "Cohort") -> str:
    weeks = ", ".join(f"{visit.week:g}" for visit in cohort.schedule)
    return f"{len(cohort.patients)} patients, visits at weeks {weeks}"


def _data(parameters: "Parameters", cohort: "Cohort") -> str:
    if parameters.built_in:
        return f"built-in cohort {parameters.data}"
    return ", ".join(f"{source.path.name} (SHA-256 {source.sha256[:12]})" for source in cohort.sources)


def _data_cut(cohort: "Cohort") -> str:
    from easitrace.report.words import written_day

    calendar = cohort.calendar
    if calendar.cut:
        return written_day(calendar.cut)
    if cohort.synthetic:
        return "not applicable: no patient data"
    last = f"last visit {written_day(calendar.last_visit)}" if calendar.last_visit else "visits have no dates"
    return f"not stated; {last}"


def _about(parameters: "Parameters", cohort: "Cohort") -> dict[str, Any]:
    return {
        "parameters": parameters.model_dump(mode="json"),
        "seed": parameters.seed,
        "log": [str(problem) for problem in cohort.log],
    }


def _print_json(problems: Sequence[Problem]) -> None:
    keys = ("code", "where", "what", "remedy")
    typer.echo(json.dumps([{key: getattr(problem, key) for key in keys} for problem in problems], ensure_ascii=False))


if __name__ == "__main__":
    main()
