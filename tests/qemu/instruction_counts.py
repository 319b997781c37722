#!/usr/bin/env python3
"""Counts instructions in QEMU (-icount): the same numbers in every run, or something is not deterministic.

Numbers that differ from those in instruction_counts.txt are printed; that is no failure, but what a reviewer wants
to know. The file holds what g++ 12 makes of the release build; --rewrite writes it anew. Of plurix-kernel it counts
those from its first line of C++ until it enters the kernel that it has put into the heap of a new cluster, in
thousands; while it measures its clock it does other things, and waits for the rest of two million.

Usage: instruction_counts.py [--rewrite] TEST_KERNEL PLURIX_KERNEL
"""

import pathlib
import re
import subprocess
import sys

from run_kernel import machine

KEPT = pathlib.Path(__file__).with_name("instruction_counts.txt")
NAMES = ("map_fault", "shadow_fault", "begin", "empty_transaction", "read_a_word", "commit_a_word",
         "allocate_64_bytes", "store_a_link", "thousands_until_kernel")


def said_by(kernel, arguments, **options):
    command = machine(kernel, arguments, 128, **options) + ["-icount", "shift=0,sleep=off"]
    return subprocess.run(command, timeout=60, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout


def counts(test_kernel, plurix_kernel):
    said = said_by(test_kernel, []) + said_by(plurix_kernel, ["found=always", "seconds=0", "history=1000"],
                                              cards=1, heap=f"{plurix_kernel}.heap")
    found = dict(re.findall(r"^(\w+) (\d+)$", said, re.MULTILINE))
    found["thousands_until_kernel"] = re.search(r'"kernel_us":(\d+)|$', said).group(1) or 0
    missing = [name for name in NAMES if name not in found]
    if missing:
        sys.exit(f"not counted: {missing}; the kernel said:\n{said}")
    return {name: int(found[name]) for name in NAMES}


def main():
    arguments = [word for word in sys.argv[1:] if word != "--rewrite"]
    first, second = counts(*arguments), counts(*arguments)
    if first != second:
        sys.exit(f"two runs differ:\n{first}\n{second}")
    if "--rewrite" in sys.argv:
        KEPT.write_text("".join(f"{name} {first[name]}\n" for name in NAMES))
    kept = dict(line.split() for line in KEPT.read_text().splitlines())
    for name in NAMES:
        was = int(kept.get(name, 0))
        print(f"{name}: {first[name]} instructions" + ("" if was == first[name] else f" (it was {was})"))


if __name__ == "__main__":
    main()
