#!/usr/bin/env python3
"""The demo that kills a node, the PageServer, and everything, while a graph is built and rewired:
all come back, nothing durable is gone, the heap is sound, and nothing has leaked, not even what
those who were killed had left to collect."""

import json

from run_plurix import EXIT_DONE, expect, finish, start

code, out, err = finish(start("demo", "--kill", "--workload", "graph", "--verify",
                              "--seconds", "1", "--json"), timeout=110)
expect(code == EXIT_DONE, f"exit code {code}", out, err)
result = json.loads(out.strip().splitlines()[-1])
expect(result["ok"], "not right", out, err)
expect(len(result["steps"]) >= 3, "a step is missing", out, err)
