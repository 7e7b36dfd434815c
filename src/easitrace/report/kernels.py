"""Kernels for the chapters: forked from a warm parent where the system can fork, started from nothing elsewhere.

Both kinds are real ipykernels in processes of their own, spoken to over Unix sockets in a folder only this user can
read (on Windows: local TCP). `EASITRACE_KERNELS=standard` chooses the second kind.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from easitrace.errors import MachineError, Problem

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
CAN_FORK = hasattr(os, "fork")


class Kernels:
    """Starts kernels of one run; leaving the context ends them all.

    Attributes
    ----------
    sockets : Path
        Private folder of connection files and sockets.
    server : Server or None
        The warm parent, None when every kernel is started from nothing.
    """

    def __init__(self, *, forked: bool | None = None) -> None:
        """Start the warm parent at once, so that it imports the libraries while the caller does something else."""
        wanted = os.environ.get("EASITRACE_KERNELS", "forked") != "standard" if forked is None else forked
        self.sockets = Path(tempfile.mkdtemp(prefix="easitrace-"))
        self.environment = _environment(self.sockets)
        self._managers: list[Any] = []
        self.server = Server(self.environment, self.sockets / "log") if wanted and CAN_FORK else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def end(self) -> None:
        """End every kernel at once; a chapter that is running fails."""
        for manager in self._managers:
            process = manager.provisioner.process if manager.provisioner is not None else None
            if process is not None:
                process.kill()
        if self.server is not None:
            self.server.close()

    def manager(self, name: str) -> Any:
        """A jupyter_client kernel manager whose kernel is not yet started."""
        from easitrace.report.provision import ForkedProvisioner, PlainKernelManager

        manager = PlainKernelManager(connection_file=str(self.sockets / f"{name}.json"))
        if os.name == "posix":
            manager.transport = "ipc"
        if self.server is not None:
            manager.provisioner = ForkedProvisioner(
                kernel_id=name, kernel_spec=manager.kernel_spec, parent=manager, server=self.server
            )
        self._managers.append(manager)
        return manager


class Server:
    """The warm parent, seen from the run: requests in, answers out, one at a time."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        self._turn = threading.Lock()
        self._warm = False
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "easitrace.report.kernel_server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,
                text=True,
            )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises
        ------
        MachineError
            E611 when the server has ended.
        """
        with self._turn:
            assert self._process.stdin is not None and self._process.stdout is not None
            try:
                self._process.stdin.write(json.dumps(request) + "\n")
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
            except (OSError, ValueError):  # the pipe is broken, or closed by `close`
                answer = ""
        if not answer:
            raise MachineError(
                Problem(
                    "E611", "kernels", f"the warm parent ended ({self._last_words()})", "try EASITRACE_KERNELS=standard"
                )
            )
        self._warm = True
        return dict(json.loads(answer))

    def fork(self, arguments: list[str], cwd: str) -> "ForkedProcess":
        """A new kernel process with the given ipykernel arguments."""
        return ForkedProcess(self, self.ask(fork=arguments, cwd=cwd)["pid"])

    def close(self) -> None:
        """End the server, and with it every kernel."""
        assert self._process.stdin is not None and self._process.stdout is not None
        if self._process.stdin.closed:
            return
        if not self._warm:
            self._process.kill()
        with suppress(BrokenPipeError):  # it ended on its own, and did not read what was written last
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1] if lines else f"status {self._process.poll()}"


class ForkedProcess:
    """The part of `subprocess.Popen` that jupyter_client uses, for a process that is the server's child."""

    stdin = stdout = stderr = None

    def __init__(self, server: Server, pid: int) -> None:
        self.pid = pid
        self._server = server
        self._status: int | None = None

    def poll(self) -> int | None:
        """Exit status, None while it runs."""
        if self._status is None:
            try:
                self._status = self._server.ask(poll=self.pid)["status"]
            except MachineError:
                self._status = -signal.SIGKILL
        return self._status

    def wait(self) -> int:
        """Wait for the end; at once when `poll` has seen it."""
        while (status := self.poll()) is None:
            time.sleep(0.01)
        return status

    def send_signal(self, signum: int) -> None:
        """Signal the process unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def _environment(sockets: Path) -> dict[str, str]:
    """One thread per kernel, a fixed hash order, and no start-up files of the user's own."""
    fixed = {
        **dict.fromkeys(ONE_THREAD, "1"),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(sockets / "ipython"),
        "EASITRACE_SOCKETS": str(sockets),
    }
    return {**os.environ, **fixed}
