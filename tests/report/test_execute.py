"""A chapter is complete when every cell ran and its results are there; anything else is a failure that says where."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from fake_chapters import write_chapter

from easitrace.errors import EasitraceError, MachineError, NotEstimableError
from easitrace.report.execute import Execution, Ran, declared_parameters, execute_chapters, find_chapters
from easitrace.report.kernels import CAN_FORK, Kernels, Server


@pytest.fixture(scope="module")
def kernels() -> Iterator[Kernels]:
    with Kernels() as warm:
        yield warm


def execute(kernels: Kernels, folder: Path, time_limit: int = 60, **values: object) -> list[Ran]:
    execution = Execution(kernels, folder / "out", lambda names: {n: values[n] for n in names}, time_limit)
    return execute_chapters(find_chapters(folder), execution)


def failure(kernels: Kernels, folder: Path, cell: str, *, time_limit: int = 60) -> EasitraceError:
    write_chapter(folder, "01_a", [cell, "after = 1"])
    with pytest.raises(EasitraceError) as caught:
        execute(kernels, folder, time_limit)
    return caught.value


def test_a_chapter_gets_only_the_parameters_it_declares(kernels: Kernels, tmp_path: Path) -> None:
    declared = "level: float | None = 0.5  # confidence level\noutput: str | None = None"
    write_chapter(tmp_path, "01_a", ["chapter.record(level=level)"], parameters=declared)
    (ran,) = execute(kernels, tmp_path, level=0.95, seed=1)
    assert ran.result["numbers"] == {"level": 0.95}


def test_the_summary_runs_last_and_reads_what_the_others_found(kernels: Kernels, tmp_path: Path) -> None:
    read = "import json, pathlib\nfound = json.loads((pathlib.Path(output) / 'results.json').read_text())"
    write_chapter(tmp_path, "00_summary", [read, "chapter.record(n=found['01_a']['numbers']['n'] + 1)"])
    write_chapter(tmp_path, "01_a", ["chapter.record(n=1)"])
    write_chapter(tmp_path, "02_b", ["chapter.record(n=10)"])
    ran = execute(kernels, tmp_path)
    assert [(chapter.name, chapter.result["numbers"]["n"]) for chapter in ran] == [
        ("00_summary", 2), ("01_a", 1), ("02_b", 10)
    ]  # fmt: skip


def test_a_failing_cell_is_named_by_its_first_line(kernels: Kernels, tmp_path: Path) -> None:
    error = failure(kernels, tmp_path, "\nfit = 1 / 0\nrest = 1")
    assert isinstance(error, NotEstimableError)
    assert str(error) == 'E401 chapter 01_a, cell "fit = 1 / 0": ZeroDivisionError: division by zero'


def test_every_failing_chapter_is_named(kernels: Kernels, tmp_path: Path) -> None:
    write_chapter(tmp_path, "02_b", ["1 / 0"])
    error = failure(kernels, tmp_path, "1 / 0")
    assert [problem.where.split(",")[0] for problem in error.problems] == ["chapter 01_a", "chapter 02_b"]


def test_leaving_early_is_a_failure(kernels: Kernels, tmp_path: Path) -> None:
    error = failure(kernels, tmp_path, "chapter.finish()\nimport sys\nsys.exit(0)")
    assert str(error) == 'E403 chapter 01_a, cell "chapter.finish()": stopped the chapter'


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "os._exit(0)"])
def test_a_kernel_that_ends_is_a_failure_of_the_machine(kernels: Kernels, tmp_path: Path, end: str) -> None:
    error = failure(kernels, tmp_path, f"chapter.finish()\nimport os\n{end}")
    assert isinstance(error, MachineError) and error.problems[0].code == "E612"
    assert error.problems[0].where == "chapter 01_a"


def test_a_cell_has_a_time_limit(kernels: Kernels, tmp_path: Path) -> None:
    error = failure(kernels, tmp_path, "import time\ntime.sleep(30)", time_limit=1)
    assert error.problems[0].code == "E402"


def test_a_chapter_without_results_has_failed(kernels: Kernels, tmp_path: Path) -> None:
    write_chapter(tmp_path, "01_a", end="")
    with pytest.raises(NotEstimableError, match="E404 chapter 01_a: left no results"):
        execute(kernels, tmp_path)


def test_a_folder_without_chapters_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="E601"):
        find_chapters(tmp_path)


def test_declared_parameters_are_read_whatever_their_type(tmp_path: Path) -> None:
    source = "a: int = 1  # b: int = 2\nc = 'd = 1'\noutput: str | None = None\ne: dict[str, float] = {}"
    notebook = nbformat.read(write_chapter(tmp_path, "01_a", parameters=source), 4)
    assert declared_parameters(notebook) == {"a", "c", "e", "output"}


def test_executed_notebooks_carry_no_clock_time(kernels: Kernels, tmp_path: Path) -> None:
    write_chapter(tmp_path, "01_a", ["1 + 1"])
    first, second = (nbformat.writes(execute(kernels, tmp_path)[0].notebook) for _ in range(2))
    assert first == second


@pytest.mark.skipif(not CAN_FORK, reason="no fork")
def test_forked_kernels_share_no_random_numbers_and_die_with_their_parent(tmp_path: Path) -> None:
    draw = "import os, random, numpy\nchapter.record(a=random.random(), b=numpy.random.random(), pid=os.getpid())"
    for name in ("01_a", "02_b"):
        write_chapter(tmp_path, name, [draw])
    with Kernels(forked=True) as kernels:
        first, second = (chapter.result["numbers"] for chapter in execute(kernels, tmp_path))
    assert first["a"] != second["a"] and first["b"] != second["b"]
    assert not alive(first["pid"]) and not alive(second["pid"])


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A shell that starts the tests in the background lets them ignore SIGINT; here it interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_leaving_ends_a_chapter_that_runs(tmp_path: Path) -> None:
    write_chapter(tmp_path, "01_a", ["import time\ntime.sleep(60)"])
    started = time.monotonic()
    with Kernels() as kernels, pytest.raises(KeyboardInterrupt):
        execution = Execution(kernels, tmp_path / "out", lambda names: {})
        timer = threading.Timer(6, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        execute_chapters(find_chapters(tmp_path), execution)
    assert time.monotonic() - started < 20


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(not CAN_FORK, reason="kernels are started one by one here")
def test_a_server_of_kernels_that_ended_is_a_failure_of_the_machine(tmp_path: Path) -> None:
    server = Server(os.environ | {"PYTHONSTARTUP": ""}, tmp_path / "log")
    server._process.kill()
    server._process.wait()
    (tmp_path / "log").write_text("line\nMemoryError: no room\n", encoding="utf-8")
    with pytest.raises(MachineError, match=r"E611 kernels: the warm parent ended \(.*MemoryError: no room.*\); try"):
        server.ask(fork=[], cwd=".")
    server.close()
