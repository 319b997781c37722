#!/usr/bin/env python3
"""Checks that README.md and docs/ say what the tree holds.

- Every ```cpp block occurs word for word, at any indentation, in a file under examples/ or
  tests/consumer/, all of which are compiled and run.
- Every relative link leads to a file, and a #fragment to a heading in it.
- Every `path/to/file` in backticks exists, from the root or from one of the include folders.
- Every `Suite.Name` in docs/paper.md is a test somewhere under tests/.

Usage: docs.py [ROOT]
"""

import pathlib
import re
import sys
import textwrap

CODE_FOLDERS = ("include/plurix", "platform/posix/include/plurix", "platform/sim/include/plurix",
                "transports/udp/include/plurix", "transports/sim/include/plurix",
                "transports/ethernet/include/plurix", "transports/rtl8139/include/plurix", "transports/segment/include/plurix",
                "history/include/plurix", "checkpoint/include/plurix", "conformance/include/plurix", "tools", "platform", "transports")

FENCE = re.compile(r"^\s*```(.*)$")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*/?)`")
FILE_NAME = re.compile(r"\.(h|cc|md|py|sh|txt|cmake|json|svg)$")
TEST_NAME = re.compile(r"`([A-Z]\w+)\.([A-Z]\w+)`")
TEST = re.compile(r"\b(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P|RC_GTEST_PROP)\(\s*(\w+),\s*(\w+)")


def documents(root):
    return [f for f in (root / "README.md", root / "include/plurix/README.md",
                        *sorted((root / "docs").rglob("*.md"))) if f.is_file()]


def blocks(lines):
    """(line number, language, lines) of every fenced block; the rest as (number, None, [line])."""
    language, first, block = None, 0, []
    for number, line in enumerate(lines, 1):
        if match := FENCE.match(line):
            if language is None:
                language, first, block = match[1].strip(), number, []
            else:
                yield first, language, block
                language = None
        elif language is None:
            yield number, None, [line]
        else:
            block.append(line)


def occurs(block, lines):
    """Whether block stands in lines, all of it shifted by the same indentation."""
    block = textwrap.dedent("\n".join(block)).split("\n")
    for start in range(len(lines) - len(block) + 1):
        indentation = lines[start][:len(lines[start]) - len(lines[start].lstrip())]
        if all(there == (indentation + here if here else "")
               for here, there in zip(block, lines[start:])):
            return True
    return False


def anchor(heading):
    """The fragment of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


def link_complaint(file, target):
    if "://" in target:
        return None
    name, _, fragment = target.partition("#")
    there = (file.parent / name).resolve() if name else file
    if not there.exists():
        return f"there is no {target}"
    if fragment:
        headings = [anchor(l) for l in there.read_text(encoding="utf-8").split("\n")
                    if l.startswith("#")]
        if fragment not in headings:
            return f"there is no heading #{fragment} in {there.name}"
    return None


def path_complaint(root, file, path):
    """Words that are not a path of the tree are none of our business."""
    if not FILE_NAME.search(path) and not path.endswith("/"):
        return None
    if "/" not in path:
        return None
    places = [root, file.parent, *(root / f for f in CODE_FOLDERS)]
    return None if any((p / path).exists() for p in places) else f"there is no {path}"


def check(root):
    """All complaints, as lines `file:line: text`."""
    examples = [f.read_text(encoding="utf-8").split("\n")
                for folder in ("examples", "tests/consumer")
                for f in sorted((root / folder).rglob("*")) if f.suffix in (".cc", ".h")]
    tests = {match.groups() for f in (root / "tests").rglob("*") if f.suffix in (".cc", ".h")
             for match in TEST.finditer(f.read_text(encoding="utf-8"))}
    complaints = []
    for file in documents(root):
        name = file.relative_to(root).as_posix()
        for number, language, lines in blocks(file.read_text(encoding="utf-8").split("\n")):
            found = []
            if language is not None:
                if language.split(" ")[0] in ("cpp", "c++") and not any(
                        occurs(lines, example) for example in examples):
                    found.append("this block is in no file of examples/ or tests/consumer/")
            else:
                found += [link_complaint(file, t) for t in LINK.findall(lines[0])]
                found += [path_complaint(root, file, p) for p in PATH.findall(lines[0])]
                if name == "docs/paper.md":
                    found += [f"there is no test {'.'.join(t)}"
                              for t in TEST_NAME.findall(lines[0]) if t not in tests]
            complaints += [f"{name}:{number}: {c}" for c in found if c]
    return complaints


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    complaints = check(root)
    print("\n".join(complaints) or "the documents agree with the tree")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
