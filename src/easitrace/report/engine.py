"""The papermill engine of the chapters: papermill's own client with our kernels."""

from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_event_loop
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine


class ChapterClient(PapermillNotebookClient):  # type: ignore[misc]
    """Runs one notebook in a kernel of the run."""

    def __init__(self, notebook_manager: Any, *, new_manager: Any, **traits: Any) -> None:
        super().__init__(notebook_manager, **traits)
        self._new_manager = new_manager

    def create_kernel_manager(self) -> Any:
        """The manager of a kernel that is not yet started."""
        self.km = self._new_manager()
        return self.km


class ChapterEngine(Engine):  # type: ignore[misc]
    """Registered with papermill under the name "easitrace"."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, execution: Any, chapter: str, **unused: Any
    ) -> None:
        """Execute all cells, each within the time limit, on an event loop of this thread's own."""
        client = ChapterClient(
            nb_man,
            new_manager=lambda: execution.kernels.manager(chapter),
            timeout=execution.time_limit,
            startup_timeout=120,
            shutdown_kernel="immediate",
            record_timing=False,
            kernel_name=kernel_name,
        )
        try:
            client.execute(env=execution.kernels.environment, cwd=str(Path.cwd()))
        finally:
            ensure_event_loop().close()
