import io

from mltranslate.cli.progress import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_bar_waits_a_second_and_erases_itself() -> None:
    stream, clock = Terminal(), Clock()
    bar = ProgressBar(stream, clock)
    clock.now = 0.9
    bar.update(1, 4)
    assert stream.getvalue() == ""
    clock.now = 1.1
    bar.update(2, 4)
    assert "50 %  2/4 sentences" in stream.getvalue()
    assert stream.getvalue().count("#") == 15
    bar.clear()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_the_bar_is_not_drawn_too_often() -> None:
    stream, clock = Terminal(), Clock()
    bar = ProgressBar(stream, clock)
    clock.now = 2.0
    for done in range(100):
        bar.update(done, 100)
    assert stream.getvalue().count("\r") == 1


def test_without_a_known_end_it_counts() -> None:
    stream, clock = Terminal(), Clock()
    bar = ProgressBar(stream, clock)
    clock.now = 2.0
    bar.update(7, None)
    assert stream.getvalue().endswith("7 sentences")


def test_no_terminal_no_bar() -> None:
    stream, clock = io.StringIO(), Clock()
    bar = ProgressBar(stream, clock)
    clock.now = 5.0
    bar.update(1, 2)
    bar.clear()
    assert stream.getvalue() == ""
