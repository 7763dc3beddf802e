"""What a program really imports; a static graph cannot see an import that is put off."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

TRAINING = frozenset({"torch", "onnx", "mltranslate_train", "mltranslate_export"})
SCREEN = frozenset({"textual", "rich", "mltranslate_tui"})
CONNECTIONS = frozenset(
    {"http.client", "urllib.request", "requests", "httpx", "aiohttp", "urllib3"}
)

REPORT = """
import json, sys
before = set(sys.modules)
try:
    {statement}
finally:
    loaded = sorted(set(sys.modules) - before)
    third_party = sorted(
        {{name.partition(".")[0] for name in loaded}} - set(sys.stdlib_module_names)
    )
    print(json.dumps({{"loaded": loaded, "third_party": third_party}}), file=sys.stderr)
"""


def _imports(run: Run, statement: str, *arguments: str) -> dict[str, list[str]]:
    done = run(REPORT.format(statement=statement), *arguments)
    assert done.returncode == 0, done.stderr
    report: dict[str, list[str]] = json.loads(done.stderr.splitlines()[-1])
    return report


def test_help_imports_nothing_third_party(
    run_python: Run, script_code: Callable[[str], str]
) -> None:
    report = _imports(run_python, script_code("mltranslate"), "--help")
    ours = {"mltranslate", "mltranslate_tui"}
    assert set(report["third_party"]) <= ours


def test_importing_the_package_imports_nothing_third_party(run_python: Run) -> None:
    assert _imports(run_python, "import mltranslate")["third_party"] == ["mltranslate"]


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import mltranslate.pipeline", TRAINING | SCREEN | CONNECTIONS),
        (
            "import mltranslate; mltranslate.Translator().translate('Guten Tag.', target='en')",
            TRAINING | SCREEN | CONNECTIONS,
        ),
        ("import mltranslate; mltranslate.detect('Guten Tag.')", TRAINING | SCREEN | CONNECTIONS),
        ("import mltranslate_tui.app", TRAINING | CONNECTIONS),
        ("import mltranslate_train.cli", SCREEN - {"rich"} | {"mltranslate_export"}),
        ("import mltranslate_export.cli", SCREEN - {"rich"}),
    ],
)
def test_forbidden_modules_stay_out(
    run_python: Run, statement: str, forbidden: frozenset[str]
) -> None:
    loaded = _imports(run_python, statement)["loaded"]
    assert forbidden.isdisjoint(loaded)
