#!/usr/bin/env python3
"""A node that is stopped for two seconds costs time, never correctness."""

import os
import signal
import time

from run_plurix import check_demo, finish, start, wait_for_children

for which in (0, 1):
    demo = start("demo", "--json", "--seconds", "4")
    children = wait_for_children(demo, 3)
    time.sleep(1)
    os.kill(children[which], signal.SIGSTOP)
    time.sleep(2)
    os.kill(children[which], signal.SIGCONT)
    result = check_demo(*finish(demo))
    assert all(node["committed"] > 0 for node in result["per_node"])
