"""Files of binary formats are parsed in a process of their own, whose memory and time are limited.

A file that makes its reader crash, hang or fill the memory ends that process and becomes an error here. The table
comes back as an Arrow stream; nothing of it is ever unpickled. It ends with the process that started it. Where the
system cannot limit the memory of a process (Windows) only the time is limited.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from easitrace.cohort.findings import Findings, inert
from easitrace.cohort.formats.excel import parse_excel
from easitrace.cohort.formats.limits import LIMITS, MIB
from easitrace.cohort.formats.options import EXCEL, NAMES, PARQUET, SAS, SPSS, STATA, Options
from easitrace.cohort.formats.parquet import parse_parquet
from easitrace.cohort.formats.statistical import parse_statistical
from easitrace.cohort.formats.table import Columns, Table
from easitrace.cohort.formats.wire import receive, send
from easitrace.errors import DataError

PARSERS: dict[str, Callable[[Path, Findings, Options], Table]] = {
    EXCEL: parse_excel,
    SPSS: parse_statistical,
    SAS: parse_statistical,
    STATA: parse_statistical,
    PARQUET: parse_parquet,
}
COMMAND = [sys.executable, "-P", "-c", "from easitrace.cohort.formats.child import main; main()"]
OUT_OF_MEMORY, ORPHANED = 12, 13
KILLED, OUT_OF_TIME = -getattr(signal, "SIGKILL", 9), -getattr(signal, "SIGXCPU", 24)
LAST_WORDS = 200
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def parse_apart(path: Path, file_format: str, findings: Findings, options: Options) -> Table:
    """The table of a file, parsed in a process of its own.

    Raises
    ------
    DataError
        With what the parser found, E246 when it failed, E247 when it crashed or went over its limits.
    """
    if file_format != PARQUET:
        return _child(path, file_format, findings, options, None)
    header = _child(path, file_format, findings, options, [])

    def fetch(names: list[str]) -> Columns:
        return _child(path, file_format, findings, options, names).columns(names)

    return replace(header, fetch=fetch)


def _child(path: Path, file_format: str, findings: Findings, options: Options, names: Sequence[str] | None) -> Table:
    request: dict[str, Any] = {"path": str(path), "format": file_format, "file": findings.file, "names": names}
    limits = LIMITS[file_format]
    request |= {"options": asdict(options), "memory": limits.memory, "seconds": limits.seconds}
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, env=os.environ | ONE_THREAD
        ) as process,
    ):
        watch = threading.Timer(limits.seconds, process.kill)
        watch.start()
        try:
            table = _conversation(process, f"{json.dumps(request)}\n".encode(), findings)
        finally:
            in_time = watch.is_alive()
            watch.cancel()
            process.kill()
            process.wait()
        words.seek(0)
        if table is None:
            _explain(process.returncode if in_time else OUT_OF_TIME, words, NAMES[file_format], findings)
            findings.stop_if_wrong()
    return cast(Table, table)


def _conversation(process: "subprocess.Popen[bytes]", request: bytes, findings: Findings) -> Table | None:
    """Ask, and read the answer; None when it is not whole."""
    assert process.stdin is not None and process.stdout is not None  # both are pipes
    try:
        process.stdin.write(request)
        process.stdin.flush()
        return receive(pa.PythonFile(process.stdout), findings)
    except (OSError, pa.ArrowInvalid):
        process.stdout.close()
        process.wait()
        return None


def _explain(status: int, words: IO[bytes], kind: str, findings: Findings) -> None:
    """Record why no table came back."""
    smaller = "export the columns and rows that are needed to a CSV file"
    if status == OUT_OF_TIME:
        findings.error("E247", f"reading {kind} took too long", smaller)
    elif status in (OUT_OF_MEMORY, KILLED):
        findings.error("E247", f"reading {kind} took too much memory", smaller)
    elif status < 0:
        findings.error("E247", f"the file makes the reader of {kind} crash", "save it again in its own program")
    else:
        last = words.read().decode(errors="replace").strip().rpartition("\n")[2]
        findings.error(
            "E246", f"cannot be read as {kind}: {inert(last, LAST_WORDS)}", "save it again in its own program"
        )


def main() -> None:
    """Parse the file that a request on standard input names and write the table to standard output."""
    request = json.loads(sys.stdin.readline())
    findings = Findings(request["file"])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit(request["memory"], request["seconds"])
    names = request["names"]
    try:
        table = PARSERS[request["format"]](Path(request["path"]), findings, Options(**request["options"]))
        send(table, table.header if names is None else names, findings, sys.stdout.buffer)
    except DataError:
        send(None, (), findings, sys.stdout.buffer)
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)


def _end_with_parent() -> None:
    """End when the parent has ended, which closes standard input."""
    while os.read(0, 1):
        pass
    os._exit(ORPHANED)


def _limit(memory: int, seconds: int) -> None:
    """Bound what this process may take (and the files of its last words), where the system can."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
