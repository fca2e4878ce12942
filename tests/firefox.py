"""A real Firefox for tests, driven by the protocol that it speaks itself (WebDriver BiDi)."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("firefox", "firefox-esr")
# Firefox asks its maker for news as it starts; a test's has nobody to ask.
SETTINGS = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": True,
    "toolkit.telemetry.enabled": False,
}


class Firefox:
    """A tab of a Firefox, and what it complained about."""

    def __init__(self, address: str) -> None:
        import websocket

        self.numbers = itertools.count(1)
        self.complaints: list[str] = []
        self.socket = websocket.create_connection(f"{address}/session", timeout=60, suppress_origin=True)
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded"])
        self.tab = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask for one thing, and note what is said in between."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self.socket.recv())
            if said.get("method") == "log.entryAdded" and said["params"]["level"] in ("error", "warn"):
                self.complaints.append(str(said["params"].get("text")))
            if said.get("id") == number:
                assert said["type"] == "success", said
                return dict(said["result"])

    def close(self) -> None:
        self.socket.close()

    def open(self, address: str) -> None:
        self.ask("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def width(self, pixels: int) -> None:
        size = {"width": pixels, "height": 844}
        self.ask("browsingContext.setViewport", context=self.tab, viewport=size)

    def value(self, script: str) -> Any:
        """What a script gives, as JSON holds it; one that waits is waited for."""
        given = self.ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({script})))()",
            target={"context": self.tab},
            awaitPromise=True,
        )
        assert given["type"] == "success", given["exceptionDetails"]["text"]
        return json.loads(given["result"].get("value", "null"))

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.ask(
            "input.performActions",
            context=self.tab,
            actions=[{"type": "key", "id": "keys", "actions": strokes}],
        )


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """The system's Firefox with a profile of its own; without one a skip with that name."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("there is no Firefox on this machine (Debian: apt-get install firefox-esr)")
    pytest.importorskip("websocket")
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in SETTINGS.items()]
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    command = [
        program,
        "--headless",
        "--no-remote",
        "--profile",
        str(profile),
        "--remote-debugging-port",
        "0",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            found = next(
                filter(None, (re.search(r"BiDi listening on (ws://\S+)", line) for line in process.stderr))
            )
            with closing(Firefox(found[1])) as tab:
                yield tab
        finally:
            process.terminate()
            process.communicate()
