#!/usr/bin/env python3
"""Runs PROGRAM --broken: it must find its mistake, make the case small, and print a command that
leads to the same digest and the same words.

Usage: broken_is_found.py PROGRAM
"""

import re
import subprocess
import sys
import tempfile

VIOLATION_FOUND = 4
MOST_TRANSACTIONS = 8
MOST_TIMED_FAULTS = 2


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=50)
    return done.returncode, done.stdout


def expect(holds, what, out):
    if not holds:
        sys.exit(f"{what}\n--- output:\n{out}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        code, out = run([sys.argv[1], "--broken"], folder)
        expect(code == VIOLATION_FOUND, f"exit code {code}, {VIOLATION_FOUND} expected", out)
        transactions = sum(line.count("(") for line in out.splitlines()
                           if re.match(r"node \d+: ", line))
        expect(transactions <= MOST_TRANSACTIONS, f"{transactions} transactions are left", out)
        faults = re.search(r"^faults (.*)$", out, re.M)
        expect(faults and faults[1].count(";") <= MOST_TIMED_FAULTS, "the faults are many", out)
        replay = re.search(r"^Replay it \(digest ([0-9a-f]{16})\):\n  (.*)$", out, re.M)
        expect(replay, "no command replays it", out)
        words = re.search(r"^What does not hold:\n(.*)$", out, re.M)[1]
        again_code, again = run(replay[2].split(), folder)
        expect(again_code == VIOLATION_FOUND, f"the replay ends with {again_code}", again)
        expect(f"digest: {replay[1]}\n" in again, f"the digest is not {replay[1]}", again)
        expect(words in again, f"the replay does not say: {words}", again)
        print(out)


main()
