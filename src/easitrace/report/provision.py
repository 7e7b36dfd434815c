"""How jupyter_client gets a kernel process from us: its own two classes, with one step of each replaced."""

import sys
from functools import cached_property
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from easitrace.report.kernels import Server

LAUNCHER = [sys.executable, "-m", "ipykernel_launcher"]


class PlainKernelManager(AsyncKernelManager):  # type: ignore[misc]
    """A manager of kernels of the running Python, whatever kernels the user has registered."""

    @cached_property
    def kernel_spec(self) -> Any:
        """The one kernel there is."""
        return KernelSpec(
            argv=[*LAUNCHER, "-f", "{connection_file}"], language="python", display_name="Python 3", name="python3"
        )


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
