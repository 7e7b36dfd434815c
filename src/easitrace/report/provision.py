"""How jupyter_client gets a kernel process from us: its own three classes, with one step of each replaced."""

import sys
import time
from functools import cached_property
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from easitrace.report.kernels import Server

PATIENCE = 0.2
LAUNCHER = [sys.executable, "-m", "ipykernel_launcher"]


class PromptClient(AsyncKernelClient):  # type: ignore[misc]
    """A client that goes on as soon as the kernel answers on both channels; the base class sleeps between steps."""

    def start_channels(self, **which: bool) -> None:
        """Open the channels but the heartbeat's: the kernel's process is watched instead."""
        super().start_channels(**{**which, "hb": False})

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Ask until the answer and the news of it have both come, so that no output of a later cell is missed.

        Raises
        ------
        RuntimeError
            When the kernel ends or does not answer in time.
        """
        end = time.monotonic() + (timeout or float("inf"))
        while not await self._answers():
            if not await self.is_alive():
                raise RuntimeError("the kernel ended before it was ready")
            if time.monotonic() > end:
                raise RuntimeError(f"the kernel did not answer in {timeout} s")

    async def _answers(self) -> bool:
        asked = self.kernel_info()
        try:
            await self.get_shell_msg(timeout=1)
            while (await self.get_iopub_msg(timeout=PATIENCE))["parent_header"].get("msg_id") != asked:
                pass
        except Empty:
            return False
        return True


class PlainKernelManager(AsyncKernelManager):  # type: ignore[misc]
    """A manager of kernels of the running Python, whatever kernels the user has registered."""

    client_factory = PromptClient

    @cached_property
    def kernel_spec(self) -> Any:
        """The one kernel there is."""
        return KernelSpec(
            argv=[*LAUNCHER, "-f", "{connection_file}"], language="python", display_name="Python 3", name="python3"
        )

    async def _async_wait(self, pollinterval: float = 0.005) -> None:
        await super()._async_wait(pollinterval)


class ForkedProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Launches by asking the warm parent for a fork; signals and the end of the process are the base class's."""

    def __init__(self, *, server: Server, **traits: Any) -> None:
        super().__init__(**traits)
        self.server = server

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        """Fork a kernel with the launcher's arguments."""
        self.process = self.server.fork(cmd[len(LAUNCHER) :], str(options["cwd"]))
        self.pid = self.pgid = self.process.pid
        return self.connection_info
