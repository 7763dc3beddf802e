"""Everything works with the network cut: once by refusing sockets, once without any interface."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from functools import cache

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Code = Callable[[str], str]

SENTENCE = "Guten Morgen, wie geht es dir?"
COMMANDS = {
    "translate": ("text", "--from", "de", "--to", "en", SENTENCE),
    "translate-detecting": ("text", "--to", "en", SENTENCE),
    "detect": ("detect", "--json", SENTENCE),
    "packs-list": ("packs", "list"),
    "packs-verify": ("packs", "verify"),
    "doctor": ("doctor", "--json"),
}
CONNECT = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"


@cache
def _empty_namespace() -> tuple[str, ...]:
    """Command prefix that runs a program without any network interface, or () where none works."""
    if shutil.which("unshare"):
        for prefix in (("unshare", "--net"), ("unshare", "--map-root-user", "--net")):
            if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
                return prefix
    return ()


def _check(name: str, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    if name.startswith("translate"):
        assert done.stdout.strip() != SENTENCE
    if name == "detect":
        assert '"de"' in done.stdout
    if name == "doctor":
        assert json.loads(done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_socket_is_opened(
    run_python: Run, script_code: Code, network_guard: str, name: str
) -> None:
    done = run_python(script_code("mltranslate"), *COMMANDS[name], customize=network_guard)
    _check(name, done)


@pytest.mark.parametrize("name", COMMANDS)
def test_runs_without_a_network_interface(run_python: Run, script_code: Code, name: str) -> None:
    prefix = _empty_namespace()
    if not prefix:
        pytest.skip("unshare --net is not permitted here")
    _check(name, run_python(script_code("mltranslate"), *COMMANDS[name], prefix=prefix))


@pytest.mark.parametrize(
    "attempt",
    [CONNECT, "import urllib.request as r; r.urlopen('http://localhost:9')"],
)
def test_the_guard_refuses_sockets(run_python: Run, network_guard: str, attempt: str) -> None:
    done = run_python(attempt, customize=network_guard)
    assert done.returncode != 0
    assert "network use" in done.stderr


def test_the_suite_itself_may_not_connect() -> None:
    import socket

    with pytest.raises(PermissionError, match="may not use the network"):
        socket.create_connection(("192.0.2.1", 9), timeout=1)
