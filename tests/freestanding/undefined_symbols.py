#!/usr/bin/env python3
"""Checks that archives compiled with kernel flags need nothing but what a compiler may always call.

A header that compiles freestanding proves little (libstdc++ hides none of its hosted parts); what
the linker would have to find is the proof.

Usage: undefined_symbols.py ARCHIVE...   (symbols one archive defines may be used by another)
"""

import subprocess
import sys

# What g++ and clang++ emit calls to on their own; a kernel provides these.
ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "strlen"}


def symbols(archive):
    """(defined, undefined) names of all members."""
    listing = subprocess.run(["nm", "--format=posix", archive], check=True, text=True,
                             capture_output=True).stdout
    defined, undefined = set(), {}
    member = archive
    for line in listing.splitlines():
        fields = line.split()
        if line.endswith(":"):
            member = line[:-1]
        elif len(fields) >= 2:
            if fields[1] in "Uwv":
                undefined.setdefault(fields[0], member)
            else:
                defined.add(fields[0])
    return defined, undefined


def demangle(name):
    return subprocess.run(["c++filt", name], check=True, text=True, capture_output=True).stdout.strip()


def main():
    defined, undefined = set(), {}
    for archive in sys.argv[1:]:
        more_defined, more_undefined = symbols(archive)
        defined |= more_defined
        undefined |= more_undefined
    if not defined:
        print("no symbol is defined at all: nothing was checked")
        return 1
    missing = sorted(set(undefined) - defined - ALLOWED)
    for name in missing:
        print(f"{undefined[name]}: needs {demangle(name)}, which no kernel has")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
