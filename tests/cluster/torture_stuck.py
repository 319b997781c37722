#!/usr/bin/env python3
"""A node that does nothing any more ends a torture: in words, with what there is to look at."""

import os
import re
import shutil
import signal
import time

from run_plurix import EXIT_FAILED, expect, expect_gone, finish, start, wait_for_children

torture = start("torture", "--nodes", "3", "--faults", "none", "--patience", "3",
                "--round-seconds", "30", "--workload", "bank")
children = wait_for_children(torture, 3)
time.sleep(4)  # until they are at work
os.kill(children[1], signal.SIGSTOP)
code, out, err = finish(torture, 60)
expect(code == EXIT_FAILED, f"exit code {code}", out, err)
expect(re.search(r"node \d \(process \d+\) (is stuck|has not answered)", err), "no node is named", out, err)
expect("replay: plurix torture --seed" in err, "no command to repeat it", out, err)
kept = re.search(r"kept: (\S+)", err)
expect(kept, "nothing was kept", out, err)
folder = kept.group(1)
files = set(os.listdir(folder))
shutil.rmtree(folder)
expect({"states.jsonl", "log.1", "history.0", "history.1", "history.2"} <= files,
       f"kept is only {files}", out, err)
expect_gone(children)
