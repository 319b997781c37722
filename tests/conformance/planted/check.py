#!/usr/bin/env python3
"""Runs the models that break a promise and checks that the suites object as models.cc says, and to
every one of them.

Usage: check.py PROGRAM
"""

import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).with_name("models.cc").read_text(encoding="utf-8")
EXPECTED = {(words.split()[0], test)
            for words in re.findall(r"// must fail: (.*)", SOURCE) for test in words.split()[1:]}
MODELS = set(re.findall(r"INSTANTIATE_TYPED_TEST_SUITE_P\((\w+)", SOURCE))


def main():
    out = subprocess.run([sys.argv[1], "--gtest_brief=1"], capture_output=True, text=True,
                         timeout=500).stdout
    failed = set(re.findall(r"^\[  FAILED  \] (\w+)/\w+/0\.(\w+)", out, re.M))
    missed = sorted(EXPECTED - failed) + sorted((model, "anything") for model in
                                                MODELS - {model for model, _ in EXPECTED})
    for model, test in missed:
        print(f"the suite has no objection to {model} in {test}")
    print(f"{len(MODELS)} planted models, {len(EXPECTED)} objections expected, {len(failed)} raised")
    if missed:
        sys.exit(1)


main()
