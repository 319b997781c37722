#!/usr/bin/env python3
"""Plants wrong includes one by one and checks that include_direction.py sees each."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import include_direction

WRONG = [
    ("include/plurix/dsm/a.h", "#include <plurix/udp/transport.h>"),
    ("include/plurix/dsm/a.h", "#include <vector>"),
    ("include/plurix/dsm/a.h", '#include "b.h"'),
    ("lib/a.cc", "#include <sys/mman.h>"),
    ("lib/a.cc", "#  include <absl/log.h>"),
    ("transports/udp/a.cc", "#include <plurix/posix/node.h>"),
    ("transports/udp/a.cc", '#include "posix/private.h"'),
    ("transports/udp/include/plurix/udp/a.h", '#include "udp/private.h"'),
    ("platform/posix/include/plurix/posix/a.h", "#include <absl/time/time.h>"),
    ("platform/sim/a.cc", "#include <plurix/udp/transport.h>"),
    ("newroom/a.cc", "#include <cstdint>"),
]
RIGHT = [
    ("include/plurix/dsm/a.h", "#include <cstdint>"),
    ("lib/a.cc", "#include <plurix/dsm/a.h>"),
    ("transports/udp/a.cc", "#include <sys/socket.h>"),
    ("transports/udp/a.cc", '#include "udp/private.h"'),
    ("platform/posix/a.cc", "#include <plurix/udp/transport.h>"),
    ("platform/sim/checkers/a.cc", "#include <plurix/sim/network.h>"),
    ("tools/plurix/a.cc", "#include <plurix/posix/node.h>"),
]


class IncludeDirection(unittest.TestCase):
    def complaints_about(self, path, line):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in (("transports/udp/private.h", "#pragma once\n"),
                               ("platform/posix/private.h", "#pragma once\n"),
                               (path, f"#pragma once\n{line}\n")):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return include_direction.check(root)

    def test_sees_every_wrong_include(self):
        for path, line in WRONG:
            with self.subTest(path=path, line=line):
                self.assertEqual(len(self.complaints_about(path, line)), 1)

    def test_accepts_every_right_include(self):
        for path, line in RIGHT:
            with self.subTest(path=path, line=line):
                self.assertEqual(self.complaints_about(path, line), [])


if __name__ == "__main__":
    unittest.main()
