"""The parent of warm kernels: a clean process that has imported the libraries and forks one ipykernel per notebook.

Run as `python -P -m easitrace.report.kernel_server`. It reads one JSON request per line on its standard input
and answers with one JSON line on its standard output:

    {"fork": ["-f", "kernel.json"], "cwd": "/work"}  ->  {"pid": 4711}
    {"poll": 4711}                                   ->  {"status": null}, or the exit status once it has ended

A process that is forked has to be single-threaded (a lock held by another thread would stay locked for ever in the
child), so nothing here starts a thread; that of Arrow's allocator minds forks by itself. When standard input ends, the
run is over or has been killed: every kernel is killed and the folder of sockets removed. Kernels also die with this
process, whatever ends it.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import select
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, TextIO

WARM = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "matplotlib_inline.backend_inline",
    "pandas",
    "scipy.optimize",
    "scipy.stats",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_svg",
    "seaborn",
    "great_tables",
    "formulaic",
    "easitrace.cohort.read",
    "easitrace.models.emmeans",
    "easitrace.models.mmrm",
    "easitrace.report.chapter",
    "easitrace.report.figures",
    "easitrace.report.prose",
    "easitrace.report.tables",
    "easitrace.response.classify",
)
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Import the libraries, then serve requests until standard input ends."""
    requests, answers = _private_pipes()
    kernels: set[int] = set()
    try:
        _import_libraries(requests.fileno())
        for line in requests:
            answers.write(json.dumps(_answer(json.loads(line), kernels)) + "\n")
            answers.flush()
    finally:
        _end(kernels)
        os._exit(0)  # taking down a thousand modules one by one would only keep the run waiting


def _private_pipes() -> tuple[TextIO, TextIO]:
    """The two pipes under new numbers, so that nothing a library prints gets between the answers."""
    requests, answers = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    with Path(os.devnull).open("r+b") as nowhere:
        os.dup2(nowhere.fileno(), 0)
        os.dup2(nowhere.fileno(), 1)
    return requests, answers


def _import_libraries(requests: int) -> None:
    """Import everything chapters use, unless the run is over before that."""
    run = select.poll()
    run.register(requests, 0)
    # Nobody steps through a chapter with a debugger, and loading one costs each kernel half a second.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    for name in WARM:
        if run.poll(0):  # nothing but the end of the pipe is asked about
            return
        with contextlib.suppress(Exception):  # the notebook that needs it says so itself
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _answer(request: dict[str, Any], kernels: set[int]) -> dict[str, Any]:
    if "poll" in request:
        return {"status": _status(request["poll"], kernels)}
    sys.stderr.flush()
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become_kernel(request["fork"], request["cwd"], server)
    kernels.add(pid)
    return {"pid": pid}


def _status(pid: int, kernels: set[int]) -> int | None:
    """Exit status as `subprocess` gives it, None while the kernel runs."""
    if pid not in kernels:
        return -signal.SIGKILL
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    kernels.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _become_kernel(arguments: list[str], cwd: str, server: int) -> None:
    """Turn a fresh fork into an ipykernel with its own process group and its own random numbers."""
    try:
        os.setsid()
        die_with_parent(server)
        os.chdir(cwd)
        _reseed()
        from ipykernel.kernelapp import IPKernelApp

        IPKernelApp.launch_instance(argv=[*arguments, f"--IPKernelApp.parent_handle={server}"])
    finally:
        os._exit(1)


def die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent ends; elsewhere ipykernel's own watch of the parent does it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _reseed() -> None:
    """Fresh random state, as in a kernel started from nothing: a shared one would be a hidden link."""
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def _end(kernels: set[int]) -> None:
    for pid in kernels:
        for kill in (os.killpg, os.kill):  # a kernel that was forked just now leads no group yet
            with contextlib.suppress(ProcessLookupError):
                kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    if folder := os.environ.get("EASITRACE_SOCKETS"):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
