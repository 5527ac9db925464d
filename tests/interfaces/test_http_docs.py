"""`/docs` in a real browser, under the real policy."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from interfaces.http.app import make_app
from tests.interfaces.test_http_app import NoParts
from tests.support.http_server import serve

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=20000",
    "--dump-dom",
]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
@pytest.mark.parametrize("path", ["/docs", "/graphiql"])
def test_a_page_renders_and_nothing_is_refused_by_the_policy(path: str, tmp_path: Path) -> None:
    with serve(make_app(NoParts())) as port:
        url = f"http://127.0.0.1:{port}{path}"
        command = [str(CHROMIUM), *OPTIONS, f"--user-data-dir={tmp_path}", url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    said = re.findall(r":CONSOLE[:(].*", done.stderr)
    if path == "/docs":
        assert done.stdout.count('class="opblock ') >= 15
        assert "receiveUpload" in done.stdout
        assert said == []
    else:
        assert "graphiql-container" in done.stdout
        # Nobody is there to be asked for the schema.
        assert [line for line in said if "Content Security Policy" in line] == []
