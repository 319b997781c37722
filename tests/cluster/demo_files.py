#!/usr/bin/env python3
"""The files a demo writes: a history that `plurix check` accepts, a trace that is JSON."""

import json
import os
import tempfile

from run_plurix import EXIT_DONE, check_demo, expect, run

with tempfile.TemporaryDirectory() as folder:
    history = os.path.join(folder, "run.jsonl")
    trace = os.path.join(folder, "run.trace.json")
    result = check_demo(*run("demo", "--json", "--seconds", "1", "--history", history, "--trace",
                             trace))
    with open(history, encoding="utf-8") as lines:
        attempts = [json.loads(line) for line in lines]
    expect(len(attempts) == result["attempts"], "the file has another number of attempts")
    keys = {"node", "incarnation", "tx", "attempt", "epoch", "begin_ns", "end_ns", "status",
            "commit_time", "read_only", "ops"}
    expect(keys <= attempts[0].keys(), f"keys are missing: {keys - attempts[0].keys()}")
    expect({a["status"] for a in attempts} >= {"committed", "aborted"}, "aborted ones are missing")
    code, out, err = run("check", history)
    expect(code == EXIT_DONE, f"plurix check ends with {code}", out, err)
    with open(trace, encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    lanes = {event["tid"] for event in events}
    expect(lanes == {0, 1, 2}, f"the lanes are {lanes}")
    expect(any(e["name"] == "commit" and e["ph"] == "X" for e in events), "no commit is drawn")
