"""One alignment out of two directed ones (Koehn et al. 2005)."""

from __future__ import annotations

from collections.abc import Iterable

Link = tuple[int, int]
"""Places of a first-side and of a second-side piece, from 0."""

HEURISTICS = ("intersection", "union", "grow-diag", "grow-diag-final-and")


def symmetrise(forward: set[Link], backward: set[Link], heuristic: str) -> set[Link]:
    """Merge the links of two directions.

    "intersection" keeps the links that both have, "union" all. "grow-diag" begins with the
    intersection and adds links of the union that touch one already taken, diagonally too, and
    whose first or second piece has no link yet: in the order of the text, again and again until
    nothing is added. "grow-diag-final-and" then adds what is left, those of `forward` first, where
    neither piece has a link yet.
    """
    taken = forward & backward
    if heuristic == "intersection" or forward == backward:
        return taken
    if heuristic == "union":
        return forward | backward
    firsts, seconds = {first for first, _ in taken}, {second for _, second in taken}
    left = sorted((forward | backward) - taken)
    added = True
    while added:
        added = False
        for link in left:
            bare = link[0] not in firsts or link[1] not in seconds
            if bare and link not in taken and _touches(link, taken):
                _take(link, taken, firsts, seconds)
                added = True
    if heuristic == "grow-diag-final-and":
        _finish([*sorted(forward - taken), *sorted(backward - taken)], taken, firsts, seconds)
    return taken


def _finish(left: Iterable[Link], taken: set[Link], firsts: set[int], seconds: set[int]) -> None:
    for link in left:
        if link[0] not in firsts and link[1] not in seconds:
            _take(link, taken, firsts, seconds)


def _take(link: Link, taken: set[Link], firsts: set[int], seconds: set[int]) -> None:
    taken.add(link)
    firsts.add(link[0])
    seconds.add(link[1])


def _touches(link: Link, taken: set[Link]) -> bool:
    first, second = link
    return any(
        (first + down, second + right) in taken
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if down or right
    )
