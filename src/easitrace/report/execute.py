"""Running the chapters: papermill executes every notebook in a kernel of its own, the independent ones at once.

A chapter is complete only when each of its code cells ran and its result file exists, which `Chapter.finish` writes;
an ended kernel, a cell past its time limit and `sys.exit(0)` are failures, though papermill marks the cells completed.
"""

import ast
import json
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easitrace.errors import EasitraceError, MachineError, NotEstimableError, Problem
from easitrace.report.kernels import Kernels

FIRST_PRINTED = "00_"
RUN_LAST = (FIRST_PRINTED, "09_")
INJECTED = "injected-parameters"
Arguments = Callable[[Collection[str]], Mapping[str, Any]]
Tell = Callable[[str, float | None], None]


def quiet(name: str, seconds: float | None) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Ran:
    """A chapter that ran: its executed notebook, its result file's content and its duration in seconds."""

    name: str
    notebook: Any
    result: dict[str, Any]
    seconds: float


@dataclass(frozen=True)
class Execution:
    """What every chapter of one run shares.

    Attributes
    ----------
    kernels : Kernels
        Where kernels come from.
    output : Path
        The folder chapters write into.
    arguments : callable
        From the names a chapter declares to their values.
    time_limit : int
        Seconds a cell may take.
    tell : callable
        Called with a chapter's name and its seconds (None when it starts).
    """

    kernels: Kernels
    output: Path
    arguments: Arguments
    time_limit: int = 900
    tell: Tell = quiet


def find_chapters(folder: Path) -> list[Path]:
    """The chapters of a report: notebooks 00 to 89 of a folder, in order; 90 and above are about the package itself.

    Raises
    ------
    MachineError
        E601 when there is none.
    """
    found = sorted(folder.glob("[0-8][0-9]_*.ipynb"))
    if not found:
        raise MachineError(
            Problem("E601", str(folder), "holds no chapters (00_name.ipynb ...)", "give --notebooks FOLDER")
        )
    return found


def execute_chapters(chapters: Sequence[Path], execution: Execution, workers: int = 2) -> list[Ran]:
    """Run all chapters: the independent ones on `workers` kernels at once, then `00_...` and `09_...`, which read them.

    Raises
    ------
    NotEstimableError, MachineError
        With every chapter that failed: E401 a cell failed, E402 time limit, E403 cells not run, E404 no results;
        E612 a kernel ended.
    """
    independent = [path for path in chapters if not path.name.startswith(RUN_LAST)]
    last = [path for path in chapters if path.name.startswith(RUN_LAST)]
    ran = _at_once(independent, execution, workers)
    merge_results(ran, execution.output)
    ran += _at_once(last, execution, workers)
    merge_results(ran, execution.output)
    return sorted(ran, key=lambda chapter: chapter.name)


def merge_results(chapters: Sequence[Ran], output: Path) -> None:
    """Write `results.json`: for every chapter, by name, its title, status, numbers, tables and figures."""
    ordered = sorted(chapters, key=lambda chapter: chapter.name)
    merged = {ran.name: {key: value for key, value in ran.result.items() if key != "chapter"} for ran in ordered}
    text = json.dumps(merged, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (output / "results.json").write_text(text, encoding="utf-8", newline="\n")


def _at_once(chapters: Sequence[Path], execution: Execution, workers: int) -> list[Ran]:
    ran: list[Ran] = []
    problems: list[Problem] = []
    with ThreadPoolExecutor(workers, thread_name_prefix="chapter") as pool:
        largest_first = sorted(chapters, key=lambda path: path.stat().st_size, reverse=True)
        waiting = [pool.submit(execute_chapter, path, execution) for path in largest_first]
        try:
            for done in as_completed(waiting):
                error = done.exception()
                if error is None:
                    ran.append(done.result())
                elif isinstance(error, EasitraceError):
                    problems.extend(error.problems)
                else:
                    raise error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            execution.kernels.end()
            raise
    if problems:
        ordered = sorted(problems, key=lambda problem: problem.where)
        machine = all(problem.code.startswith("E6") for problem in ordered)
        raise MachineError(ordered) if machine else NotEstimableError(ordered)
    return ran


def execute_chapter(path: Path, execution: Execution) -> Ran:
    """Run one notebook with the parameters its `parameters` cell declares, and check that it came to its end."""
    name, started = path.stem, time.monotonic()
    execution.tell(name, None)
    papermill = load_papermill()
    notebook = papermill.iorw.load_notebook_node(str(path))
    names = declared_parameters(notebook)
    values = dict(execution.arguments(names - {"output"}))
    if "output" in names:
        values["output"] = str(execution.output)
    with _failures(name, execution.time_limit):
        notebook = papermill.execute_notebook(
            notebook,
            None,
            values,
            engine_name="easitrace",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            execution=execution,
            chapter=name,
        )
    _every_cell_ran(name, notebook)
    result = _result(name, execution.output)
    seconds = time.monotonic() - started
    execution.tell(name, seconds)
    return Ran(name, _without_times(notebook), result, seconds)


def declared_parameters(notebook: Any) -> frozenset[str]:
    """The names assigned in the cells tagged `parameters` (papermill's own reader misses `name: str | None = None`)."""
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    statements = [statement for cell in cells for statement in ast.parse(cell.source).body]
    annotated = [statement.target for statement in statements if isinstance(statement, ast.AnnAssign)]
    plain = [target for statement in statements if isinstance(statement, ast.Assign) for target in statement.targets]
    return frozenset(target.id for target in [*annotated, *plain] if isinstance(target, ast.Name))


def load_papermill() -> Any:
    """Papermill with our engine, imported once and without a grammar of web addresses that takes a second to build."""
    if "papermill" not in sys.modules:
        with without_address_grammar():
            import papermill
    import papermill
    import papermill.engines
    import papermill.iorw

    from easitrace.report.engine import ChapterEngine

    papermill.engines.papermill_engines.register("easitrace", ChapterEngine)
    papermill.log.logger.setLevel("ERROR")
    return papermill


@contextmanager
def without_address_grammar() -> Iterator[None]:
    """Let jsonschema load without `rfc3987_syntax`, an optional checker of IRIs that no notebook schema asks for."""
    absent = "rfc3987_syntax" not in sys.modules
    if absent:
        sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules["rfc3987_syntax"]


@contextmanager
def _failures(name: str, time_limit: int) -> Iterator[None]:
    """Turn what papermill and nbclient raise into located problems."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    where = f"chapter {name}"
    try:
        yield
    except PapermillExecutionError as error:
        place = f'{where}, cell "{_first_line(error.source)}"'
        raise NotEstimableError(Problem("E401", place, f"{error.ename}: {error.evalue}")) from error
    except CellTimeoutError as error:
        raise NotEstimableError(
            Problem("E402", where, f"a cell took longer than {time_limit} s", "give --time-limit SECONDS")
        ) from error
    except (DeadKernelError, RuntimeError) as error:
        if isinstance(error, EasitraceError):
            raise
        raise MachineError(
            Problem("E612", where, f"its kernel ended ({_brief(error)})", "is there enough memory? run it again")
        ) from error


def _first_line(source: str) -> str:
    return next((line.strip() for line in source.splitlines() if line.strip()), "")


def _brief(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _every_cell_ran(name: str, notebook: Any) -> None:
    """A cell that stopped the kernel politely (`sys.exit(0)`) leaves later cells without a number."""
    for cell in notebook.cells:
        stopped = any(output.output_type == "error" for output in cell.get("outputs", ()))
        if cell.cell_type == "code" and cell.source.strip() and (cell.execution_count is None or stopped):
            what = "stopped the chapter" if stopped else "did not run"
            raise NotEstimableError(Problem("E403", f'chapter {name}, cell "{_first_line(cell.source)}"', what))


def _result(name: str, output: Path) -> dict[str, Any]:
    path = output / "results" / f"{name}.json"
    if not path.exists():
        remedy = f'it must end with Chapter("{name}", ...).finish() or .skip(), its output set to the parameter'
        raise NotEstimableError(Problem("E404", f"chapter {name}", "left no results", remedy))
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _without_times(notebook: Any) -> Any:
    """The executed notebook without clock times and random names, so that the same input gives the same file."""
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if INJECTED in cell.metadata.get("tags", ()):
            cell.id = f"{INJECTED}-{number}"
    return notebook
