#!/usr/bin/env python3
"""Checks who includes whom. Layers in a README do not survive; a test does.

examples, tests, bench, tools  ->  rooms (transports/* platform/* gc checkpoint)  ->  hub

- The hub (include/plurix, lib) includes itself and a few standard headers, nothing else.
- A room includes the hub and itself; platform/posix composes the hosted node, so it may also
  include the public headers of transports/udp, transports/segment and transports/ethernet.
- transports/rtl8139 and transports/segment hold devices for transports/ethernet, so they may
  include its public headers.
- platform/sim judges its own runs, so it may also include the public headers of history.
- conformance tests models of the concepts, so it may also run them in the simulator.
- A public header includes with <...> only and knows no Abseil. A room's private headers are
  included with "..." and lie in that room.

Usage: include_direction.py [ROOT]
"""

import pathlib
import re
import sys

# Headers of the language and the compiler that need no operating system and leave no undefined symbols behind as the hub uses
# them. Add one only together with a look at the `freestanding` tests.
HUB_STANDARD_HEADERS = set("""
    algorithm array atomic bit charconv chrono climits compare concepts coroutine cstddef cstdint
    cstring exception expected functional initializer_list iterator limits memory new numeric optional ranges
    ratio source_location span string_view tuple type_traits utility variant version
    cpuid.h
""".split())

HUB = "hub"

# Folder -> (name of the room, the <plurix/NAME/...> folders it may include beside the hub's).
ROOMS = {
    "transports/udp": ("udp", {"udp"}),
    "transports/ethernet": ("ethernet", {"ethernet"}),
    "transports/rtl8139": ("rtl8139", {"rtl8139", "ethernet"}),
    "transports/segment": ("segment", {"segment", "ethernet"}),
    "history": ("history", {"history"}),
    "transports/sim": ("sim", {"sim"}),
    "platform/posix": ("posix", {"posix", "gc", "udp", "segment", "ethernet"}),
    "platform/baremetal": ("baremetal", {"baremetal"}),
    "platform/sim": ("sim", {"sim", "history", "checkpoint"}),
    "conformance": ("conformance", {"conformance", "sim", "history"}),
    "gc": ("gc", {"gc"}),
    "checkpoint": ("checkpoint", {"checkpoint"}),
    "include/plurix": (HUB, set()),
    "lib": (HUB, set()),
}
ROOM_NAMES = {name for name, _ in ROOMS.values()} - {HUB}
ABOVE_THE_ROOMS = ("examples", "tests", "bench", "tools")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    for folder, (name, may_include) in ROOMS.items():
        if path.startswith(folder + "/"):
            return folder, name, may_include
    return None


def is_public_header(path):
    return path.startswith("include/plurix/") or "/include/plurix/" in path


def is_private_to(root, room, path, target):
    """Whether "target", included by path, is a file of the same room."""
    beside = (root / path).parent / target
    from_room_root = (root / room).parent / target
    return any(f.is_file() and f.resolve().is_relative_to((root / room).resolve())
               for f in (beside, from_room_root))


def complaint(root, path, quote, target):
    """Why this include is wrong, or None."""
    room, name, may_include = room_of(path)
    if quote == '"':
        if is_public_header(path):
            return "a public header includes with <...> only"
        if name == HUB:
            return "the hub has no private headers"
        if not is_private_to(root, room, path, target):
            return f'"..." is for private headers of {room}'
        return None
    if target.startswith("plurix/"):
        folder = target.split("/")[1]
        if folder in ROOM_NAMES and folder not in may_include:
            return f"{room} may not know the room {folder}"
        return None
    if name == HUB and target not in HUB_STANDARD_HEADERS:
        return "the hub knows no such header (see HUB_STANDARD_HEADERS)"
    if is_public_header(path) and target.startswith("absl/"):
        return "no Abseil in a public header"
    return None


def check(root):
    """All complaints about the tree, as lines `file:line: text`."""
    complaints = []
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root).as_posix()
        if file.suffix not in (".h", ".cc") or path.startswith((".", "build/")):
            continue
        if path.split("/")[0] in ABOVE_THE_ROOMS:
            continue
        if room_of(path) is None:
            complaints.append(f"{path}:1: belongs to no layer; add its folder to ROOMS")
            continue
        lines = file.read_text(encoding="utf-8").splitlines()
        if file.suffix == ".h" and "#pragma once" not in lines:
            complaints.append(f"{path}:1: a header without #pragma once")
        for number, line in enumerate(lines, 1):
            if match := INCLUDE.match(line):
                if why := complaint(root, path, *match.groups()):
                    complaints.append(f"{path}:{number}: {line.strip()}: {why}")
    return complaints


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    complaints = check(root)
    print("\n".join(complaints) or "every include points the right way")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
