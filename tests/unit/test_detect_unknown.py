"""Signs of source code."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.detect.unknown import looks_like_code

CODE = (
    "for (int i = 0; i < num; i++) {",
    "def run(self, values):",
    'const found = await db.query("x");',
    "if (a != b && c >= d) return;",
    "std::vector<int> numbers;",
    "SELECT id, name FROM users WHERE id = 1;",
    "my_variable_name",
    "/usr/local/lib/python3",
    '<div class="main"><b>',
    '{"a": null, "b": [1, 2]}',
    "x = y[i] + 1;",
    "#include <stdio.h>",
    "git commit --amend --no-edit",
    "fn main() { println!(); }",
    "C:\\Windows\\system32",
)
PROSE = (
    "Mehr Infos unter https://example.com/shop/de/a_b/c?x=1&y=2",
    "Treffen am 22/11/2024",
    "Freund(in):",
    "Lehrer(innen).",
    "he/she/they",
    "Montag/Dienstag/Mittwoch",
    "Bis 2020; danach",
    "I <3 NY",
    "会議は2024/11/22です",
    "東京/大阪/名古屋に行きます",
    "请打开config_file并修改其中的设置，然后重新启动服务器",
    "GitHub上でpull_requestを作成しました。レビューをお願いします。",
    "ไปที่2024/11/22นะครับขอบคุณมาก",
    "",
    "Hello",
    "Der Preis beträgt 12,50 € (inkl. MwSt.); Versand: 3 €.",
    "Tom & Jerry",
    "und/oder",
    "Γεια σου, τι κάνεις;",
    "Merci ;",
    "Kind(er)",
    "iPhone",
    "C++",
    "AC/DC",
    "#amor",
    "[Musik]",
    "¿Quién es? -dijo él.",
    "The function my_function is called in line 12 of the program.",
    "Please open /etc/hosts and add the line that I have sent you yesterday.",
    "我们明天早上去公园吃早饭；然后回家。",
    "a -> b bedeutet, dass b aus a folgt, wenn beide gelten.",
)


@pytest.mark.parametrize("text", CODE)
def test_code(text: str) -> None:
    assert looks_like_code(text)


@pytest.mark.parametrize("text", PROSE)
def test_prose(text: str) -> None:
    assert not looks_like_code(text)


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text(text: str) -> None:
    assert looks_like_code(text) in {True, False}


@pytest.mark.parametrize("unit", ["a", "a/", "a_", "/", "aA", "<a", "a(", "\\", "= ", "{a"])
def test_work_is_bounded(unit: str) -> None:
    looks_like_code("{" + unit * 400_000)
    started = time.process_time()
    looks_like_code("{" + unit * 400_000)
    # Some milliseconds; a pattern that goes back over the text would take hours.
    assert time.process_time() - started < 20
