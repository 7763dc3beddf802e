"""Train a prepared run on a machine that is there for a short time: docs/gpu-kit.md."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import time
from pathlib import Path

STARTED = time.monotonic()
PACKAGES = "packages.zip"
TRAINER = Path(__file__).resolve().parents[1]
sys.path[0:1] = [str(TRAINER.parent), str(TRAINER)]

log = logging.getLogger("kit")


def main(arguments: list[str] | None = None) -> int:
    """Run a sub-command; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    # Last on the path: packages that are installed come first.
    sys.path.append(str(_packages(options)))
    from mltranslate.errors import MltError

    try:
        code: int = options.work(options)
    except MltError as error:
        log.error("error: %s", error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return code


def _packages(options: argparse.Namespace) -> Path:
    """Packages that this machine may lack, in the store from the first call on."""
    store: Path = getattr(options, "store", options.run.parent if "run" in options else Path())
    kept = store / PACKAGES
    for folder in options.pieces if options.work is _train else ():
        for found in folder.rglob(PACKAGES):
            store.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, kept)
    return kept


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kit", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_pack(commands)
    _add_train(commands)
    collect = commands.add_parser("collect", help="put what came back into the run")
    collect.add_argument("result", type=Path, help="folder of weights and metrics")
    collect.add_argument("run", type=Path, help="the prepared run that was packed")
    collect.set_defaults(work=_collect)
    for name, work, text in (
        ("steps", _steps, "the trainer alone, for `train`"),
        ("speed", _speed, "some steps alone, for `train`"),
    ):
        inner = commands.add_parser(name, help=text)
        inner.add_argument("run", type=Path)
        if name == "speed":
            inner.add_argument("out", type=Path)
        else:
            for option in ("--until", "--later", "--decay"):
                inner.add_argument(option, type=float, required=True)
        _add_sets(inner)
        inner.set_defaults(work=work)
    return parser


def _add_pack(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    pack = commands.add_parser("pack", help="write the data of a prepared run in pieces")
    pack.add_argument("run", type=Path, help="folder that mltranslate-train prepare filled")
    pack.add_argument("pieces", type=Path, help="folder that gets a folder for each piece")
    pack.add_argument("--count", type=int, default=3, help="number of pieces (%(default)s)")
    pack.add_argument(
        "--tokens", type=int, default=0,
        help="ids in all pieces, about; origins of low weight are thinned out (all)",
    )  # fmt: skip
    pack.set_defaults(work=_pack)


def _add_train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    train = commands.add_parser("train", help="train for some minutes, from where it stopped")
    train.add_argument("store", type=Path, help="folder that stays from call to call")
    train.add_argument("out", type=Path, help="folder for weights, metrics and the report")
    train.add_argument("pieces", type=Path, nargs="+", help="folders of pieces that have come")
    train.add_argument("--minutes", type=float, required=True, help="of this call, all in all")
    train.add_argument(
        "--left", type=int, default=0, help="calls as long that will follow (%(default)s)"
    )
    train.add_argument(
        "--reserve", type=float, default=30, help="seconds at the end for saving (%(default)s)"
    )
    train.add_argument(
        "--decay", type=float, default=0.25,
        help="share of all calls' time in which the learning rate falls to 0 (%(default)s)",
    )  # fmt: skip
    _add_sets(train)
    train.set_defaults(work=_train)


def _add_sets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", dest="sets", action="append", default=[], metavar="SECTION.KEY=VALUE",
        help="replace one value of the recipe; may be repeated",
    )  # fmt: skip


def _pack(options: argparse.Namespace) -> int:
    from kit.pieces import pack

    for file in pack(options.run, options.pieces, options.count, options.tokens):
        log.info("%s: %.1f MiB", file, file.stat().st_size / 2**20)
    return 0


def _train(options: argparse.Namespace) -> int:
    from kit.train import Piece, Plan, program

    plan = Plan(
        folders=tuple(options.pieces), store=options.store, out=options.out,
        minutes=options.minutes, left=options.left, reserve=options.reserve,
        decay=options.decay, sets=tuple(options.sets), started=STARTED,
    )  # fmt: skip
    return Piece(plan, program(Path(__file__).resolve().parent)).work()


def _collect(options: argparse.Namespace) -> int:
    from kit.collect import collect

    log.info("%s: %s", options.run, collect(options.result, options.run))
    return 0


def _steps(options: argparse.Namespace) -> int:
    from kit.steps import train_until
    from kit.train import DIVERGED
    from mltranslate.errors import DivergenceError

    try:
        train_until(
            options.run, options.sets, until=options.until, later=options.later, decay=options.decay
        )
    except DivergenceError as error:
        log.error("error: %s", error)
        return DIVERGED
    return 0


def _speed(options: argparse.Namespace) -> int:
    from kit.speed import measure

    measure(options.run, options.sets, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
