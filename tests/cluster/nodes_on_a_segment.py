#!/usr/bin/env python3
"""Nodes started by hand find each other on a hub's segment without being told any address; what they
recorded is one correct history. A PageServer among them overhears pages. A hub that ends takes
nobody's process with it."""

import json
import os
import signal
import tempfile
import time

from run_plurix import (EXIT_DONE, EXIT_FAILED, EXIT_NOT_REACHABLE, check_histories, expect,
                        finish, run, start, unique_cluster)

cluster = unique_cluster()
with tempfile.TemporaryDirectory() as folder:
    place = os.path.join(folder, "hub")
    hub = start("hub", "--socket", place, "--drop", "2", "--json", "--pcap",
                os.path.join(folder, "hub.pcap"))
    expect(json.loads(hub.stdout.readline())["event"] == "ready", "the hub does not start")
    common = ["node", "--cluster", cluster, "--segment", "hub:" + place]

    code, out, err = run(*common, "--found", "never", "--join-timeout", "0.5")
    expect(code == EXIT_NOT_REACHABLE and place in err, f"nobody there: exit code {code}", out, err)

    parts = [os.path.join(folder, f"{i}.jsonl") for i in range(2)]
    nodes = [start(*common, "--workload", "registers", "--seconds", str(4 - i), "--history", part,
                   "--history-limit", "20000000") for i, part in enumerate(parts)]
    for node in reversed(nodes):
        code, out, err = finish(node, 30)
        expect(code == EXIT_DONE and "committed" in out, f"exit code {code}", out, err)
    check_histories(parts, folder)

    # A PageServer keeps the pages that it overhears, and its images are sound.
    store = os.path.join(folder, "store")
    snooped = unique_cluster()
    on_segment = ["--cluster", snooped, "--segment", "hub:" + place]
    server = start("pageserver", *on_segment, "--dir", store, "--image-every", "0.05", "--json")
    expect('"ready"' in server.stdout.readline(), "the PageServer does not start")
    workers = [start("node", *on_segment, "--found", "never", "--workload", "bank", "--seconds", "2")
               for _ in range(2)]
    for node in workers:
        code, out, err = finish(node, 30)
        expect(code == EXIT_DONE, f"exit code {code}", out, err)
    server.send_signal(signal.SIGINT)
    code, out, err = finish(server, 30)
    expect(code == EXIT_DONE, f"the PageServer: exit code {code}", out, err)
    ended = json.loads(out.strip().splitlines()[-1])
    expect(ended["protocol"]["pages_snooped"] > 0, "nothing was overheard", out)
    expect(0 < ended["images"]["pages_snooped"] <= ended["images"]["pages_known"],
           "no image has a page that was overheard", out)
    for words in (["checkpoint", "verify"], ["inspect", "heap", "--verify"]):
        code, out, err = run(*words, "--dir", store)
        expect(code == EXIT_DONE, f"{words}: exit code {code}", out, err)

    alone = start(*common, "--seconds", "2")
    time.sleep(1)
    hub.send_signal(signal.SIGINT)
    code, out, err = finish(hub, 10)
    expect(code == EXIT_DONE, f"the hub: exit code {code}", out, err)
    counters = json.loads(out.strip().splitlines()[-1])
    expect(counters["drop"] > 0 and counters["delivered"] > counters["drop"], "nothing was dropped", out)
    expect(os.path.getsize(os.path.join(folder, "hub.pcap")) > 1000, "nothing was captured")
    code, out, err = finish(alone, 30)
    expect(code == EXIT_DONE, f"a node without its hub: exit code {code}", out, err)

    code, out, err = run(*common)
    expect(code == EXIT_FAILED and "plurix hub" in err, f"no hub: exit code {code}", out, err)
