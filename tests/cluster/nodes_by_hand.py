#!/usr/bin/env python3
"""Nodes started by hand find each other by name, work, and leave on Ctrl-C; what they recorded is
one correct history."""

import os
import signal
import tempfile
import time

from run_plurix import (EXIT_DONE, EXIT_FAILED, check_histories, expect, finish, run, start,
                        unique_cluster)

cluster = unique_cluster()
with tempfile.TemporaryDirectory() as folder:
    parts = [os.path.join(folder, f"{i}.jsonl") for i in range(3)]
    nodes = [start("node", "--cluster", cluster, "--workload", "registers", "--seconds",
                   "1" if i > 0 else "60", "--history", part,
               "--history-limit", "20000000") for i, part in enumerate(parts)]
    for node in nodes[1:]:
        code, out, err = finish(node, 30)
        expect(code == EXIT_DONE and "committed" in out, f"exit code {code}", out, err)
    code, out, err = run("node", "--cluster", cluster, "--heap", "32M")
    expect(code == EXIT_FAILED, f"another heap size: exit code {code}", out, err)
    expect("64 MiB" in err and "32 MiB" in err, "the sizes are not told", err)
    nodes[0].send_signal(signal.SIGINT)
    begin = time.monotonic()
    code, out, err = finish(nodes[0], 10)
    expect(code == EXIT_DONE, f"Ctrl-C: exit code {code}", out, err)
    expect(time.monotonic() - begin < 5, "Ctrl-C took long")
    check_histories(parts, folder)
