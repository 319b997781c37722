#!/usr/bin/env python3
"""What a machine says that cannot get a kernel from the heap: none there, none brought, or one that it must not run.

Usage: refused_kernels.py KERNEL
"""

import pathlib
import subprocess
import sys
import tempfile

from run_kernel import machine

REFUSED = 35
BASE = 0x550000400000
TYPES_AT = 32  # in the image: where its table of types is, tools/kernel/interface/kernel_image.h


def word(image, at):
    return int.from_bytes(image[at:at + 8], "little")


def with_another_type(image, name):
    """The image as if it had been compiled with another type of that name."""
    table, count = word(image, TYPES_AT) - BASE, word(image, TYPES_AT + 8)
    for at in range(table, table + 24 * count, 24):
        length, text = word(image, at), word(image, at + 8) - BASE
        if image[text:text + length].decode() == name:
            return image[:at + 16] + bytes([image[at + 16] ^ 1]) + image[at + 17:]
    sys.exit(f"the image lists no type {name}")


def main():
    kernel = sys.argv[1]
    image = pathlib.Path(kernel + ".heap").read_bytes()
    cases = [
        (None, "", "there is no kernel in the heap, and the boot loader has brought none"),
        (image, "heap=4194304", "a kernel has no room in so small a heap"),
        (b"no kernel" * 1000, "", "the file that the boot loader has brought is no kernel"),
        (image[:len(image) // 2], "", "the file that the boot loader has brought is no kernel"),
        *((with_another_type(image, name), "", f"the kernel in the heap was compiled with another {name}")
          for name in ("plurix::kernel::Resident", "plurix::kernel::BodyEnd", "plurix::Transaction")),
    ]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (heap, words, expected) in enumerate(cases):
            file = pathlib.Path(folder) / f"{number}.heap"
            file.write_bytes(heap or b"")
            command = machine(kernel, ["found=always", "join=100", words], 128, 1, file if heap else None)
            result = subprocess.run(command, timeout=60, text=True, errors="replace", stdin=subprocess.DEVNULL,
                                    capture_output=True)
            print(result.stdout.strip())
            if result.returncode != REFUSED or expected not in result.stdout:
                wrong += 1
                print(f"WRONG: status {result.returncode}, expected {REFUSED} and: {expected}\nagain: " +
                      " ".join(command))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
