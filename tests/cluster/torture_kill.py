#!/usr/bin/env python3
"""A short torture that kills: nodes and the PageServer die with kill -9, are cut off and stopped, and
nothing goes wrong; Ctrl-C leaves nobody behind."""

import json
import os
import signal
import sys
import time

from run_plurix import (EXIT_DONE, EXIT_FAILED, EXIT_NOT_FIT, SKIP, expect, expect_gone, finish,
                        start, wait_for_children)

code, out, err = finish(start("torture", "--kill", "--minutes", "0.12", "--nodes", "3", "--workload",
                              "registers", "--seed", "5", "--json"), 110)
if code == EXIT_NOT_FIT:
    print(err)
    sys.exit(SKIP)
expect(code == EXIT_DONE, f"exit code {code}", out, err)
print(out.splitlines()[-1])
result = json.loads(out.splitlines()[-1])
expect(result["ok"] is True and result["violations"] == 0, "not all was well", out)
expect(result["clusters_unjudged"] == 0, "a history was not judged", out)
expect(result["deeds"] >= 3 and result["verifications"] == result["deeds"], "few deeds", out)
expect(result["committed"] > 0 and result["durable"] > 0, "nothing happened", out)
expect(result["undone"] < result["committed"], "nothing was kept", out)
for what, times in result["times"].items():
    expect(times["back"]["median_ms"] > 0, f"no time for {what}", out)

torture = start("torture", "--kill", "--nodes", "2", start_new_session=True)
children = wait_for_children(torture, 3)
time.sleep(1.5)
os.killpg(torture.pid, signal.SIGINT)
code, out, err = finish(torture, 10)
expect(code == EXIT_FAILED and "interrupted" in err, f"Ctrl-C: exit code {code}", out, err)
expect_gone(children)
