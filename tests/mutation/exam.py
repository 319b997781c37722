#!/usr/bin/env python3
"""The exam of the tests: plants one bug after the other and sees which tests notice.

PROGRAM is plurix_exam_tests; the bugs are those of <plurix/base/mutation.h>, or the NAMEs given.
With --readme the table of planted bugs there must list every bug, and every test named in a bug's
row must notice it; only if one does not, all tests are run to see which do. With --all they are run
for every bug. With --fast the tests over the simulator stay out of that.

Usage: exam.py [--all] [--fast] [--readme FILE] PROGRAM [NAME...]
Exit status: 0 every bug was caught, 1 one was missed, or the tests fail without any.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

HEADER = pathlib.Path(__file__).resolve().parents[2] / "include/plurix/base/mutation.h"
SIMULATOR = "*Simulated*-"
BY_HAND = "*-*Simulated*"
# Always the same cases, and enough of them; which is the smallest one does not matter here.
CASES = "seed=1 noshrink=1 max_success=3000"
# A bug may make a run endless, or end the program: then the test that ran is the one that noticed.
TIMEOUT_S = 60
# Without a bug every run comes to its end, however slow the machine is.
PATIENCE_S = 1800
MOST_CRASHES = 3


def all_names():
    return re.findall(r'^    "(\w+)",$', HEADER.read_text(), re.MULTILINE)


def rows(readme):
    """Name -> names of tests, from the rows of the table."""
    found = {}
    for line in pathlib.Path(readme).read_text().splitlines():
        if match := re.match(r"\| `(\w+)` \|[^|]*\|([^|]*)\|$", line):
            found[match[1]] = re.findall(r"`([\w/.]+)`", match[2])
    return found


def run_once(program, name, patterns):
    """One run: the tests that failed, the one in which it died or hung (or None), and whether it
    hung. The name is None for a run without a bug."""
    env = dict(os.environ, RC_PARAMS=CASES)
    env.pop("PLURIX_REWRITE", None)
    if name:
        env["PLURIX_MUTATION"] = name
    hung = False
    try:
        run = subprocess.run([program, f"--gtest_filter={patterns}", "--gtest_color=no"], env=env,
                             text=True, errors="replace", stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL,
                             timeout=TIMEOUT_S if name else PATIENCE_S)
        output, ended = run.stdout, run.returncode in (0, 1)
    except subprocess.TimeoutExpired as expired:
        output, ended, hung = (expired.stdout or b"").decode(errors="replace"), False, True
    failed = re.findall(r"^\[  FAILED  \] ([\w/.]+)(?:,.*)? \(\d+ ms\)$", output, re.MULTILINE)
    started = re.findall(r"^\[ RUN      \] ([\w/.]+)$", output, re.MULTILINE)
    return failed, None if ended else (started or ["before the first test"])[-1], hung


def red_tests(program, name, wanted):
    """The tests that notice a bug; one in which the program died is left out next time."""
    red, left_out = [], []
    while len(left_out) <= MOST_CRASHES:
        separator = ":" if wanted[-1] != "-" and left_out else ""
        failed, last, hung = run_once(program, name, wanted + separator + ":".join(left_out))
        red += [test for test in failed + ([last] if last else []) if test not in red]
        if last is None or hung:
            break
        left_out.append(last)
    return red


def all_that_notice(program, name, fast):
    """By hand, then over the simulator."""
    return [red_tests(program, name, BY_HAND)] + (
        [] if fast else [red_tests(program, name, SIMULATOR)])


def examine(program, name, arguments, named):
    """One line about a bug; whether it was caught, by the tests the table names."""
    groups = []
    if named and not arguments.all:
        groups = [red_tests(program, name, ":".join(named) + "-")]
    if not groups or set(named) - set(groups[0]):
        groups = all_that_notice(program, name, arguments.fast)
    told = [f"{tests[0]}" + (f" and {len(tests) - 1} more" if len(tests) > 1 else "")
            for tests in groups if tests]
    print(f"{'caught' if told else 'MISSED'}  {name}: {', '.join(told)}", flush=True)
    green = set(named).difference(*groups)
    for test in sorted(green):
        print(f"        the table names {test}, which stays green", flush=True)
    return bool(told) and not green


def fails_without_a_bug(program, arguments, chosen, table):
    """Tests that prove nothing about a bug, because they fail anyway."""
    named = sorted({test for name in chosen for test in table.get(name, [])})
    if named and not arguments.all:
        return red_tests(program, None, ":".join(named) + "-")
    return sum(all_that_notice(program, None, arguments.fast), [])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--readme")
    parser.add_argument("program")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    names = all_names()
    for name in arguments.names:
        if name not in names:
            sys.exit(f"no mutation is called '{name}'")
    table = rows(arguments.readme) if arguments.readme else {}
    if arguments.readme and sorted(table) != sorted(names):
        print("the table and the list differ:", sorted(set(table) ^ set(names)))
        return 1

    chosen = arguments.names or names
    if red := fails_without_a_bug(arguments.program, arguments, chosen, table):
        print("without any bug these fail:", *red)
        return 1
    caught = [examine(arguments.program, name, arguments, table.get(name, [])) for name in chosen]
    print(f"{sum(caught)} of {len(chosen)} caught")
    return 0 if all(caught) else 1


if __name__ == "__main__":
    sys.exit(main())
