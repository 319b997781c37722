#!/usr/bin/env python3
"""Checks that a wrong program does not compile, for the stated reason.

The file says the reason in lines `// expect: words`, all of which must be in the compiler's output;
`words | other words` where compilers differ.
With -DPLURIX_COMPILE_FAIL_CONTROL the same file must compile: what it then leaves out is the reason.

Usage: check.py FILE COMPILER [FLAGS...]
"""

import pathlib
import re
import subprocess
import sys


def compile_file(command):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def main():
    file, *compiler = sys.argv[1:]
    expected = re.findall(r"^// expect: (.+)$", pathlib.Path(file).read_text(), re.MULTILINE)
    if not expected:
        print(f"{file}: has no line `// expect: words`")
        return 1
    command = compiler + ["-fsyntax-only", file]

    control = compile_file(command + ["-DPLURIX_COMPILE_FAIL_CONTROL"])
    if control.returncode != 0:
        print(f"{file}: also fails with PLURIX_COMPILE_FAIL_CONTROL:\n{control.stdout}")
        return 1
    wrong = compile_file(command)
    if wrong.returncode == 0:
        print(f"{file}: compiles, but must not")
        return 1
    missing = [words for words in expected
               if not any(choice in wrong.stdout for choice in words.split(" | "))]
    for words in missing:
        print(f"{file}: the compiler does not say '{words}':\n{wrong.stdout}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
