"""Makes text that is no language: code, identifiers, addresses, codes, keyboard mash."""

from __future__ import annotations

import random
from collections.abc import Callable

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_ROW_WEIGHTS = (8, 10, 6, 1, 2, 1)
_NAMES = (
    "x", "y", "i", "j", "n", "id", "idx", "tmp", "val", "cfg", "ctx",
    "req", "res", "args", "kwargs", "self", "buf", "ptr", "len", "num", "str", "obj",
    "arr", "src", "dst", "msg", "err", "fn", "cb", "db", "url", "uri", "api",
    "http", "json", "xml", "html", "css", "sql", "env", "init", "main", "test", "util",
)  # fmt: skip
_CODE = (
    "def {a}({b}, {c}):",
    "{a} = {b}[{c}]",
    "for {a} in range({b}):",
    "for (int {a} = 0; {a} < {b}; {a}++) {{",
    "while ({a} < {b}.size()) {{ {a} += {c}; }}",
    "else if ({a} == null) return {b};",
    "fn {a}(&mut self, {b}: u32) -> bool {{",
    "func {a}({b} int, {c} string) error {{",
    "try {{ {a}(); }} catch (Exception {b}) {{ }}",
    "#define {a} {b}",
    "pip install {a} && npm run {b}",
    "if ({a} != {b}) {{ {c}++; }}",
    "const {a} = await {b}.{c}();",
    "#include <{a}/{b}.h>",
    "std::vector<{a}> {b};",
    "import {a}.{b} as {c}",
    "public static void {a}(String[] {b}) {{",
    "SELECT {a}, {b} FROM {c} WHERE {a} = 1;",
    "sudo apt-get install {a}-{b}",
    "git checkout -b {a}/{b}",
    "printf(\"%s\\n\", {a}->{b});",
    "<div class=\"{a}-{b}\">{c}</div>",
    "return {a} && !{b}.{c};",
    "let mut {a}: &str = {b}.{c}();",
    "{{\"{a}\": null, \"{b}\": true}}",
    "var {a}=function({b}){{return {c}}}",
    "/usr/lib/{a}/{b}.so",
    "C:\\{a}\\{b}.exe",
    "{a}.{b}.com/{c}",
    "{a}_{b}.{c}",
)  # fmt: skip
_HEX = "0123456789abcdef"
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


def undetermined(rng: random.Random) -> str:
    """Return one line that is no language and has at least one letter in most cases."""
    make: Callable[[random.Random], str] = rng.choices(
        (_mash, _code, _hexadecimal, _part_number, _consonants), (5, 6, 1, 2, 2)
    )[0]
    return make(rng)


def _mash(rng: random.Random) -> str:
    row = rng.choices(_ROWS, _ROW_WEIGHTS)[0]
    if rng.random() < 0.4:
        start, size = rng.randrange(len(row) - 3), rng.randint(4, 6)
        return row[start : start + size] * rng.randint(1, 3)
    return "".join(rng.choice(row) for _ in range(rng.randint(5, 16)))


def _code(rng: random.Random) -> str:
    return rng.choice(_CODE).format(a=_name(rng), b=_name(rng), c=_name(rng))


def _name(rng: random.Random) -> str:
    parts = rng.choices(_NAMES, k=rng.randint(1, 2))
    if rng.random() < 0.5:
        return "_".join(parts)
    return parts[0] + "".join(part.capitalize() for part in parts[1:])


def _hexadecimal(rng: random.Random) -> str:
    return "".join(rng.choice(_HEX) for _ in range(rng.choice((8, 12, 32, 40))))


def _part_number(rng: random.Random) -> str:
    return "-".join(
        "".join(rng.choice(_CODE_LETTERS) for _ in range(rng.randint(3, 6)))
        for _ in range(rng.randint(1, 3))
    )


def _consonants(rng: random.Random) -> str:
    return "".join(rng.choice("bcdfghjklmnpqrstvwxz") for _ in range(rng.randint(5, 12)))
