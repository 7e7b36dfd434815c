"""The process of its own in which binary files are parsed: what it gives back, and how it ends."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from small_cohort import MAPPED, write

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats import child, limits, wire
from easitrace.cohort.formats.limits import Limits
from easitrace.cohort.formats.options import Options
from easitrace.cohort.formats.table import Table
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError

pytestmark = pytest.mark.usefixtures("apart")


def refused(path, **arguments):
    with pytest.raises(DataError) as caught:
        read_cohort(path, **{**MAPPED, **arguments})
    return str(caught.value)


def acting(monkeypatch, code):
    """Let the child run other code, as a reader that a file makes misbehave."""
    monkeypatch.setattr(child, "COMMAND", [sys.executable, "-c", code])


def test_a_damaged_file_is_refused_with_the_words_of_its_reader(tmp_path):
    path = write(".sav", tmp_path)
    path.write_bytes(path.read_bytes()[:300])
    message = refused(path)
    assert message.startswith("E246 cohort.sav: cannot be read as an SPSS file: ") and "ReadstatError" in message
    path = write(".parquet", tmp_path)
    path.write_bytes(path.read_bytes()[:-3])
    assert "E246 cohort.parquet: cannot be read as a Parquet file: pyarrow.lib.ArrowInvalid" in refused(path)


def test_what_the_parser_finds_comes_back(tmp_path):
    path = write(".xlsx", tmp_path)
    assert 'E248 cohort.xlsx: there is no sheet "Visits"; the sheets are "Sheet"' in refused(path, sheet="Visits")


def test_a_reader_that_takes_too_long_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setitem(limits.LIMITS, "spss", Limits(1 << 20, 1 << 32, 1))
    acting(monkeypatch, "import time; time.sleep(60)")
    start = time.monotonic()
    assert "E247 cohort.sav: reading an SPSS file took too long; export the columns" in refused(write(".sav", tmp_path))
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "the file makes the reader of an SPSS file crash"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "reading an SPSS file took too much memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "reading an SPSS file took too long"),
        ("import sys; sys.stdin.readline(); print('not a table')", "cannot be read as an SPSS file"),
        ("raise ValueError('x' * 999)", "ValueError: xxx"),
    ],
)
def test_a_reader_that_crashes_is_an_error_of_the_file(code, message, tmp_path, monkeypatch):
    acting(monkeypatch, code)
    assert message in refused(write(".sav", tmp_path))


def alone(monkeypatch):
    """Let `main` run in this process, without its limits and its watch on the parent."""
    monkeypatch.setattr(child, "_limit", lambda memory, seconds: None)
    monkeypatch.setattr(child, "_end_with_parent", lambda: None)


FILLING = """
from easitrace.cohort.formats import child
child.PARSERS["spss"] = lambda *_: bytearray(8 << 30)
child.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="memory is limited where the system can")
def test_a_reader_that_fills_the_memory_is_stopped(tmp_path, monkeypatch):
    acting(monkeypatch, FILLING)
    assert "E247 cohort.sav: reading an SPSS file took too much memory; export" in refused(write(".sav", tmp_path))


def test_out_of_memory_ends_the_child_with_its_own_status(monkeypatch, tmp_path):
    def fills(*_):
        raise MemoryError

    monkeypatch.setitem(child.PARSERS, "spss", fills)
    alone(monkeypatch)
    request = {"path": "x", "format": "spss", "file": "x", "names": None, "options": {}, "memory": 0, "seconds": 0}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(request)))
    with pytest.raises(SystemExit) as caught:
        child.main()
    assert caught.value.code == child.OUT_OF_MEMORY


@pytest.mark.parametrize("names", [None, ["id"]])
def test_the_child_writes_the_columns_asked_for(names, monkeypatch, tmp_path):
    path, stream = write(".parquet", tmp_path), io.BytesIO()
    request = {
        "path": str(path),
        "format": "parquet",
        "file": path.name,
        "names": names,
        "options": {},
        "memory": 0,
        "seconds": 0,
    }
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(request)))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream))
    alone(monkeypatch)
    child.main()
    table = wire.receive(io.BytesIO(stream.getvalue()), Findings("x"))
    assert table.header == ["id", "visit", "when", "score", "sex", "age"]
    assert table.columns(["id"])["id"].to_pylist()[3:] == ["B07", "B07", "C1"]


def test_the_child_writes_what_it_refused(monkeypatch, tmp_path):
    path, stream = write(".xlsx", tmp_path), io.BytesIO()
    request = {"path": str(path), "format": "excel", "file": path.name, "names": None, "memory": 0, "seconds": 0}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(request | {"options": {"sheet": "x"}})))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream))
    alone(monkeypatch)
    child.main()
    with pytest.raises(DataError, match="E248"):
        wire.receive(io.BytesIO(stream.getvalue()), Findings("x"))


def test_the_child_ends_when_its_parent_has_ended():
    code = "import threading, time; from easitrace.cohort.formats import child; "
    code += "threading.Thread(target=child._end_with_parent, daemon=True).start(); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        process.stdin.write(b"words that are no end")
        process.stdin.close()
        assert process.wait(30) == child.ORPHANED


def test_limits_are_set_where_the_system_has_them(monkeypatch):
    import resource

    asked = []
    monkeypatch.setattr(resource, "setrlimit", lambda what, limit: asked.append((what, limit)))
    child._limit(5, 7)
    assert (resource.RLIMIT_CPU, (7, 7)) in asked
    assert (resource.RLIMIT_AS, (5, 5)) in asked and (resource.RLIMIT_CORE, (0, 0)) in asked
    monkeypatch.setattr(sys, "platform", "win32")
    asked.clear()
    child._limit(5, 7)
    assert asked == []


def test_everything_a_table_holds_survives_the_way():
    problem = Findings("f")
    problem.error("E251", "what", "remedy", at="row 2")
    columns = {"a": pa.array([1.5, None, 2]), "b": pa.array(["x", None, "\u00e9"], pa.large_string())}
    reasons = {"a": pa.array([None, ".a", None], pa.large_string())}
    told = {"labels": {"a": {"2": "two"}}, "letters": {"a": "A"}, "faults": {"b": problem.errors}}
    table = Table.of(columns, reasons=reasons, **told)
    findings, stream = Findings("f"), io.BytesIO()
    findings.note("W220", "said")
    wire.send(table, ["a", "b"], findings, stream)
    received = wire.receive(io.BytesIO(stream.getvalue()), findings)
    assert received.header == ["a", "b"] and received.rows.tolist() == [1, 2, 3]
    assert {name: column.to_pylist() for name, column in received.columns(["b", "a"]).items()} == {
        "b": ["x", None, "\u00e9"], "a": [1.5, None, 2.0]}  # fmt: skip
    assert received.labels == {"a": {"2": "two"}} and received.letters == {"a": "A"}
    assert received.reasons["a"].to_pylist() == [None, ".a", None]
    assert list(received.faults["b"]) == problem.errors
    assert len(findings.log) == 1


def test_errors_beside_a_table_are_kept_for_later():
    findings, stream = Findings("f"), io.BytesIO()
    findings.error("E252", "what")
    wire.send(Table.of({"a": pa.array([1])}), ["a"], findings, stream)
    later = Findings("f")
    wire.receive(io.BytesIO(stream.getvalue()), later)
    assert later.errors == findings.errors


def test_the_answer_is_no_pickle():
    """Nothing that a file controls is unpickled: the modules of the formats do not know pickle."""
    for path in Path(child.__file__).parent.glob("*.py"):
        assert "import pickle" not in path.read_text(encoding="utf-8")


def test_options_travel_whole():
    options = Options(";", "cp1252", ",", "d-m-yyyy", "Visits", 3)
    assert Options(**json.loads(json.dumps(child.asdict(options)))) == options


def test_the_watch_on_the_parent_ends_the_child_at_the_end_of_its_input(monkeypatch):
    words, ended = [b"x", b"y", b""], []
    monkeypatch.setattr(child.os, "read", lambda file, size: words.pop(0) if (file, size) == (0, 1) else b"")
    monkeypatch.setattr(child.os, "_exit", ended.append)
    child._end_with_parent()
    assert ended == [child.ORPHANED] and words == []
