#!/usr/bin/env python3
"""Plants one mistake at a time in a small tree and checks that docs.py sees it."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import docs

EXAMPLE = """int main() {
  for (;;) {
    first();

    second();
  }
}
"""

RIGHT = [
    "```cpp\nfirst();\n\nsecond();\n```",
    "```cpp\nfor (;;) {\n  first();\n\n  second();\n}\n```",
    "```\nfirst(1);\n```",
    "[page](other.md), [part](other.md#a-part-of-it), [here](#top), [away](https://example.org/x)",
    "`lib/a.cc`, `dsm/a.h`, `lib/`, `not a path`, `a/b`",
    "`Suite.Name`",
]
WRONG = [
    "```cpp\nfirst();\nsecond();\n```",
    "```cpp\nfirst();\n\n  second();\n```",
    "```cpp\nthird();\n```",
    "[page](missing.md)",
    "[part](other.md#another-part)",
    "`lib/missing.cc`",
    "`Suite.Missing`",
]


class Docs(unittest.TestCase):
    def complaints_about(self, text):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            for name, content in (("examples/x.cc", EXAMPLE), ("lib/a.cc", ""),
                                  ("include/plurix/dsm/a.h", ""),
                                  ("tests/unit/x_test.cc", "TEST(Suite, Name) {}"),
                                  ("docs/other.md", "## A part of it\n"),
                                  ("docs/paper.md", "# Top\n" + text + "\n")):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content)
            return docs.check(root)

    def test_sees_every_mistake(self):
        for text in WRONG:
            with self.subTest(text=text):
                self.assertEqual(len(self.complaints_about(text)), 1)

    def test_accepts_what_is_right(self):
        for text in RIGHT:
            with self.subTest(text=text):
                self.assertEqual(self.complaints_about(text), [])


if __name__ == "__main__":
    unittest.main()
