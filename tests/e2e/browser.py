"""A page in headless Chromium, spoken to over the DevTools protocol: what it asks for, runs, says, and looks like."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"),
)
PATIENCE = 60.0


class Tab:
    """One open page.

    Attributes
    ----------
    events : list of dict
        Everything the page has done since it was opened: requests, dialogs, scripts, messages.
    """

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=PATIENCE, suppress_origin=True)
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Network", "Runtime", "Debugger", "Log"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def ask(self, method: str, **arguments: Any) -> Any:
        """Call a method of the protocol; events that arrive meanwhile are kept."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": arguments}))
        while (message := self._next()).get("id") != number:
            pass
        assert "error" not in message, message
        return message["result"]

    def open(self, path: Path, *, width: int = 1440, dark: bool = False, media: str = "") -> None:
        """Open a file and wait until it has loaded and stood for a moment."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        self.events.clear()
        self.ask("Page.navigate", url=path.as_uri())
        while "Page.loadEventFired" not in self.named():
            self._next()
        self.run("new Promise(done => setTimeout(done, 300))")

    def run(self, script: str) -> Any:
        """The value of a script that the page itself could not run."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def named(self) -> list[str]:
        """The names of what happened."""
        return [event["method"] for event in self.events]

    def requests(self) -> list[str]:
        """Addresses asked for, the page's own among them; `data:` stays within the page."""
        asked = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"] for one in asked if not one["request"]["url"].startswith("data:")]

    def scripts(self) -> list[str]:
        """Scripts of the page's own that were read."""
        read = [event["params"] for event in self.events if event["method"] == "Debugger.scriptParsed"]
        return [one["url"] for one in read if one["url"].startswith(("file:", "http", "data:", "blob:"))]

    def picture(self, path: Path) -> None:
        """The whole page as PNG."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        answer = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv())
        if "method" in message:
            self.events.append(message)
        if message.get("method") == "Page.javascriptDialogOpening":
            self._socket.send(
                json.dumps(
                    {"id": next(self._numbers), "method": "Page.handleJavaScriptDialog", "params": {"accept": False}}
                )
            )
        return message


@contextmanager
def browser(profile: Path, more: Sequence[str] = ()) -> Iterator[Tab]:
    """Chromium with one empty page, ended with the block."""
    assert PROGRAM is not None
    command = [PROGRAM, *FLAGS, f"--user-data-dir={profile}", *more, "about:blank"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, start_new_session=True, **quiet) as process:
        try:
            tab = Tab(_address(profile))
            try:
                yield tab
            finally:
                tab.close()
        finally:
            os.killpg(process.pid, 9)


def _address(profile: Path) -> str:
    """Where the page listens; Chromium writes its port into its profile."""
    from urllib.request import urlopen

    port, end = profile / "DevToolsActivePort", time.monotonic() + PATIENCE
    while not (port.exists() and "\n" in port.read_text()):
        assert time.monotonic() < end, "Chromium did not start"
        time.sleep(0.05)
    with urlopen(f"http://127.0.0.1:{port.read_text().splitlines()[0]}/json/list") as answer:
        pages = [one for one in json.load(answer) if one["type"] == "page"]
    return str(pages[0]["webSocketDebuggerUrl"])
