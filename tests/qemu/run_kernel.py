#!/usr/bin/env python3
"""Boots a kernel in QEMU and checks what it says on its serial port and how it ends.

Emulated (TCG) with qboot; no KVM, no root. On failure the command line that boots it again is printed.

Usage: run_kernel.py [--status N] [--expect WORDS]... [--pvh] [--timeout S] KERNEL [ARGUMENT...]
"""

import argparse
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

from machines import QEMU, card, command_line

MULTIBOOT_MAGIC = (0x1BADB002).to_bytes(4, "little")


def machine(kernel, arguments, memory, cards=0, heap=None):
    network = [card(n + 1, "hubport", "hubid=0", f"n{n}") for n in range(cards)]
    return command_line(kernel, " ".join(arguments), *sum(network, []), memory=memory, initrd=heap)


def without_multiboot(kernel, folder):
    """A copy that only PVH can boot."""
    image = pathlib.Path(kernel).read_bytes()
    at = image.index(MULTIBOOT_MAGIC)
    copy = pathlib.Path(folder) / "pvh_only"
    copy.write_bytes(image[:at] + bytes(4) + image[at + 4:])
    return copy


def run(options):
    with tempfile.TemporaryDirectory() as folder:
        kernel = without_multiboot(options.kernel, folder) if options.pvh else options.kernel
        command = machine(kernel, options.arguments, options.memory, options.cards, options.heap)
        try:
            result = subprocess.run(command, timeout=options.timeout, text=True, errors="replace",
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT)
            said, status = result.stdout, result.returncode
        except subprocess.TimeoutExpired as expired:
            said, status = (expired.stdout or b"").decode(errors="replace"), "none: timed out"
    wrong = [f"it did not say: {words}" for words in options.expect if words not in said]
    if status != options.status:
        wrong.append(f"exit status {status}, expected {options.status}")
    print(said)
    if wrong:
        print("WRONG: " + "; ".join(wrong))
        print("again: " + shlex.join(machine(options.kernel, options.arguments, options.memory,
                                              options.cards, options.heap)))
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--status", type=int, default=33, help="33: well, 35: panic or failed tests")
    parser.add_argument("--expect", action="append", default=[])
    parser.add_argument("--as-told-by", metavar="PROGRAM", help="it must also say what PROGRAM prints")
    parser.add_argument("--pvh", action="store_true", help="let only the PVH entry be found")
    parser.add_argument("--cards", type=int, default=0, help="so many RTL8139, all on one segment")
    parser.add_argument("--heap", help="the file that is loaded with the kernel, for the heap")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--memory", type=int, default=64, help="MiB")
    parser.add_argument("kernel")
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    if shutil.which(QEMU) is None:
        print(f"{QEMU} is not installed (Debian: qemu-system-x86)")
        return 1
    if options.as_told_by:
        told = subprocess.run([options.as_told_by], check=True, text=True, stdout=subprocess.PIPE).stdout
        options.expect += told.splitlines()
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
