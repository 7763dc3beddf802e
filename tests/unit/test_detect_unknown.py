"""Signs of source code."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.detect.unknown import looks_like_code

# Twelve kinds of code, five snippets each. Those of `UNSEEN` look like prose: no sign is dense.
CODE = {
    "Python": (
        "def run(self, values):",
        "for index, item in enumerate(items):",
        "self.count += len(values)",
        "return [x * 2 for x in rows if x]",
        "from pathlib import Path",
    ),
    "JavaScript": (
        'const found = await db.query("x");',
        "items.map(item => item.id)",
        "if (a === null || !b.ok) return;",
        "export default function App() {",
        "let total = 0;",
    ),
    "C": (
        "for (int i = 0; i < num; i++) {",
        "#include <stdio.h>",
        'printf("%d\\n", count);',
        "char *name = malloc(32);",
        "#define MAX_SIZE 1024",
    ),
    "C++": (
        "std::vector<int> numbers;",
        "std::cout << value << std::endl;",
        "template <typename T>",
        "auto it = map.find(key);",
        "delete[] buffer;",
    ),
    "Java": (
        "public static void main(String[] args) {",
        "List<String> names = new ArrayList<>();",
        'System.out.println("done");',
        "private final int maxRetries = 3;",
        "@Override public String toString() {",
    ),
    "Rust": (
        "fn main() { println!(); }",
        "let mut total: u64 = 0;",
        "impl Display for Point {",
        "match value { Some(x) => x, None => 0 }",
        "use std::collections::HashMap;",
    ),
    "Go": (
        "if err != nil {",
        "func (s *Server) Start() error {",
        "x := make([]int, 0)",
        'fmt.Println("hello")',
        "go handle(conn)",
    ),
    "SQL": (
        "SELECT id, name FROM users WHERE id = 1;",
        "INSERT INTO orders (id) VALUES (7);",
        "UPDATE items SET price = 3 WHERE id = 2;",
        "CREATE TABLE users (id INTEGER PRIMARY KEY);",
        "LEFT JOIN orders ON orders.user_id = users.id",
    ),
    "shell": (
        "git commit --amend --no-edit",
        "cat /var/log/syslog | grep -i error",
        "export PATH=$HOME/bin:$PATH",
        'for f in *.txt; do echo "$f"; done',
        "chmod +x ./build.sh && ./build.sh",
    ),
    "HTML and CSS": (
        '<div class="main"><b>',
        '<a href="/index.html">Home</a>',
        ".button { color: #ff0000; }",
        "<br/>",
        "@media (max-width: 600px) {",
    ),
    "JSON, YAML and paths": (
        '{"a": null, "b": [1, 2]}',
        '"version": "1.2.0",',
        "C:\\Windows\\system32",
        "/usr/local/lib/python3",
        "my_variable_name",
    ),
    "PHP, Ruby and C#": (
        "$user->getName();",
        "<?php echo $title; ?>",
        "items.each do |item|",
        "puts user.name.upcase()",
        "var list = new List<int>();",
    ),
}
UNSEEN = frozenset(
    {
        "for index, item in enumerate(items):",
        "return [x * 2 for x in rows if x]",
        "from pathlib import Path",
        "template <typename T>",
        "go handle(conn)",
        "cat /var/log/syslog | grep -i error",
        'for f in *.txt; do echo "$f"; done',
        '"version": "1.2.0",',
        "items.each do |item|",
    }
)
PROSE = {
    "brands": (
        "eBay",
        "iPhone",
        "iPhone; eBay",
        "McDonald's",
        "McDonald's (München)",
        "easyJet/Ryanair",
        "Mein iPhone [neu]",
        "YouTube; WhatsApp",
        "Ich habe es bei eBay (sehr günstig) gekauft.",
        "Wer kennt macOS/iOS?",
        "deviantArt (2000)",
        "J'adore mon iPad ; et toi ?",
        "AC/DC",
        "C++",
        "H&M, C&A",
        "Tom & Jerry",
    ),
    "hashtags and mentions": (
        "#iPhone",
        "#iPhone #eBay",
        "#amor",
        "#tbt #throwBack",
        "#black_lives_matter",
        "@john_doe",
        "Danke @anna_maria!",
        "#heuteJournal [live]",
        "Gracias @maria_lopez_92 :)",
        "#1 in Europa",
    ),
    "dates and times": (
        "Treffen am 22/11/2024",
        "Bis 2020; danach",
        "会議は2024/11/22です",
        "Mo-Fr 9:00-17:00",
        "ไปที่2024/11/22นะครับขอบคุณมาก",
        "24/7 offen",
        "Le 3/4 au soir",
    ),
    "prices and numbers": (
        "Nur $9.99!",
        "US$ 5/Tag",
        "Der Preis beträgt 12,50 € (inkl. MwSt.); Versand: 3 €.",
        "3 for $10",
        "+49 (0)30 12345 anrufen",
        "Größe: 30x40cm [neu]",
    ),
    "slashes and brackets": (
        "he/she/they",
        "und/oder",
        "Montag/Dienstag/Mittwoch",
        "東京/大阪/名古屋に行きます",
        "Freund(in):",
        "Lehrer(innen).",
        "Kind(er)",
        "[Musik]",
        "Sehr geehrte(r) Kunde/Kundin,",
        "Hotel (****)",
    ),
    "addresses": (
        "Mehr Infos unter https://example.com/shop/de/a_b/c?x=1&y=2",
        "Mail: a_b@example.org",
        "Schreib an anna_lena.k@example.org; danke!",
    ),
    "mathematics": (
        "Die Formel a² + b² = c² gilt immer.",
        "Zwei plus zwei = vier",
        "I <3 NY",
        "x > 5 ist wahr",
        "Wenn a < b, dann gilt auch -a > -b.",
        "a -> b bedeutet, dass b aus a folgt, wenn beide gelten.",
    ),
    "names of programs in sentences": (
        "The function my_function is called in line 12 of the program.",
        "Please open /etc/hosts and add the line that I have sent you yesterday.",
        "请打开config_file并修改其中的设置，然后重新启动服务器",
        "GitHub上でpull_requestを作成しました。レビューをお願いします。",
    ),
    "other": (
        "",
        "Hello",
        "Γεια σου, τι κάνεις;",
        "Merci ;",
        "¿Quién es? -dijo él.",
        "¡Vamos! :)",
        "我们明天早上去公园吃早饭；然后回家。",
        "- Ja -- vielleicht.",
        "*lacht*",
        "Na ja ... ;-)",
    ),
    "placeholders": (
        "Hello {name}!",
        "Guten Tag, {{title}} {{name}}",
        "{count} Dateien gelöscht",
    ),
}


@pytest.mark.parametrize("text", [text for texts in CODE.values() for text in texts])
def test_code(text: str) -> None:
    assert looks_like_code(text) == (text not in UNSEEN)


@pytest.mark.parametrize("text", [text for texts in PROSE.values() for text in texts])
def test_prose(text: str) -> None:
    assert not looks_like_code(text)


def test_tables_are_large_enough_for_rates() -> None:
    assert {len(texts) for texts in CODE.values()} == {5}
    assert len(CODE) == 12
    assert len(UNSEEN) <= 9  # at least 85 % of 60 are found
    assert sum(map(len, PROSE.values())) >= 60


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
