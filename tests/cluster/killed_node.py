#!/usr/bin/env python3
"""A node that is killed while it transacts takes neither the token nor anybody's progress with it:
the PageServer opens an epoch without it, and its next life joins again. A second PageServer is
refused in words."""

import json
import signal
import time

from run_plurix import EXIT_DONE, EXIT_FAILED, expect, finish, run, start, unique_cluster

cluster = unique_cluster()
common = ["node", "--cluster", cluster, "--workload", "registers", "--json"]
server = start(*common, "--page-server", "--seconds", "60")
time.sleep(0.7)
worker = start(*common, "--found", "never", "--seconds", "4")
victim = start(*common, "--found", "never", "--seconds", "60")
time.sleep(1.5)

code, out, err = run("node", "--cluster", cluster, "--page-server", "--found", "never")
expect(code == EXIT_FAILED and "PageServer" in err, f"a second PageServer: exit code {code}", out, err)

victim.send_signal(signal.SIGKILL)
victim.wait()
again = start(*common, "--found", "never", "--seconds", "1")
code, out, err = finish(again, 30)
expect(code == EXIT_DONE, f"the next life: exit code {code}", out, err)
code, out, err = finish(worker, 30)
expect(code == EXIT_DONE, f"the survivor: exit code {code}", out, err)
end = json.loads(out.strip().splitlines()[-1])
expect(end["protocol"]["epochs_entered"] >= 1, "the survivor entered no new epoch", out)
server.send_signal(signal.SIGINT)
code, out, err = finish(server, 30)
expect(code == EXIT_DONE, f"the PageServer: exit code {code}", out, err)
end = json.loads(out.strip().splitlines()[-1])
expect(end["protocol"]["epochs_opened"] >= 1, "no epoch was opened", out)
expect(end["committed"] > 0, "nothing was committed", out)
