"""A report of one run, or a comparison of several, as Markdown with pictures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mltranslate_train.data.whole import writable
from mltranslate_train.report import sections
from mltranslate_train.report.evaluation import Measured, read_results
from mltranslate_train.report.folder import RunFolder, open_runs, unique_names
from mltranslate_train.report.markdown import escape
from mltranslate_train.report.pictures import Picture, curves, lengths

FOLDER, FILE = "report", "report.md"


def write_report(run: Path) -> Path:
    """Write RUN/report/report.md and its pictures, over those of before; returns its path.

    Raises:
        DataError: the run has no metrics, or the report cannot be written.
    """
    return write_reports([run], run / FOLDER)


def write_reports(paths: Sequence[Path], out: Path) -> Path:
    """Write the report of one run, or the comparison of several, into the folder `out`.

    Raises:
        DataError: a run has no metrics, or the report cannot be written.
    """
    runs = open_runs(paths)
    tested = [read_results(run.evaluation()) for run in runs]
    with writable(out):
        out.mkdir(parents=True, exist_ok=True)
        pictures = [*curves(runs, out), *lengths(unique_names(runs), tested, out)]
        page = _one(runs[0], tested[0]) if len(runs) == 1 else _several(runs, tested)
        text = _page(*page, pictures)
        (out / FILE).write_text(text, encoding="utf-8")
    return out / FILE


def _one(run: RunFolder, tested: Sequence[Measured]) -> tuple[str, list[tuple[str, str]]]:
    parts = [
        ("", sections.summary(run)),
        ("Evaluation", sections.results(tested, run.evaluation())),
        ("Dev scores", sections.dev_scores(run.history)),
        ("Samples", sections.samples(run.history)),
        ("Data", sections.data(run)),
        ("Versions where this report was written", sections.environment()),
        ("Recipe", sections.recipe(run)),
    ]
    return f"Training of {run.name}", parts


def _several(
    runs: Sequence[RunFolder], tested: Sequence[Sequence[Measured]]
) -> tuple[str, list[tuple[str, str]]]:
    names = unique_names(runs)
    parts = [("", sections.overview(names, runs, tested))]
    for name, run, found in zip(names, runs, tested, strict=True):
        parts.append((name, sections.summary(run)))
        parts.append((f"{name}: evaluation", sections.results(found, run.evaluation())))
    parts.append(("Versions where this report was written", sections.environment()))
    return "Comparison of " + ", ".join(names), parts


def _page(title: str, parts: Sequence[tuple[str, str]], pictures: Sequence[Picture]) -> str:
    """Title, the first part, the pictures, and the other parts that are not empty."""
    (_, first), *rest = parts
    lines = [f"# {escape(title)}", "", first]
    if pictures:
        lines += ["## Curves", ""]
        for name, file in pictures:
            lines += [f"**{escape(name)}**", "", f"![{escape(name)}]({file})", ""]
    for name, body in rest:
        if body:
            lines += [f"## {escape(name)}", "", body]
    return "\n".join(lines).rstrip() + "\n"
