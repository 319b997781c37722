#!/usr/bin/env python3
"""A short torture: every fault happens, nothing goes wrong, and what it says of itself adds up."""

import json

from run_plurix import EXIT_DONE, EXIT_NOT_FIT, SKIP, expect, finish, start

import sys

code, out, err = finish(start("torture", "--minutes", "0.2", "--nodes", "3", "--round-seconds",
                              "0.8", "--json", *sys.argv[2:]), 110)
if code == EXIT_NOT_FIT:
    print(err)
    sys.exit(SKIP)
expect(code == EXIT_DONE, f"exit code {code}", out, err)
result = json.loads(out.splitlines()[-1])
print(out.splitlines()[-1])
expect(result["ok"] is True and result["violations"] == 0 and result["stuck_nodes"] == 0,
       "not all was well", out)
expect(result["committed"] > 0 and result["aborted"] > 0, "nothing happened", out)
expect(sum(result["committed_by_workload"].values()) == result["committed"], "wrong sum", out)
expect(result["rounds"] >= 6 and len(result["committed_by_workload"]) >= 6,
       "not every workload had its turn", out)
for fault in ("loss", "duplication", "reordering", "delay", "corruption", "replay"):
    expect(result["net_faults"][fault] > 0, f"no {fault}", out)
for kind, count in result["hostile"].items():
    expect(count > 0, f"nothing hostile of the kind {kind}", out)
expect(result["pauses"] > 0, "no process was stopped", out)
expect(result["protocol"]["frames_dropped"] > 0, "no node refused a frame", out)
expect({kind.split("/")[1] for kind in result["nodes_by_kind"]} >= {"plain"}, "no kinds", out)
expect(result["memory"]["node_end_bytes"] > 0, "no memory was measured", out)
