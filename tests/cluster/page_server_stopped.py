#!/usr/bin/env python3
"""A PageServer that is stopped and not killed leaves its nodes, who work on. Started again it finds
them: one cluster, and nothing undone. Where it does not find them it says what it goes on from, and
where another cluster has the name it touches nothing."""

import json
import os
import signal
import tempfile
import time

from run_plurix import (EXIT_DONE, EXIT_NOT_FIT, check_histories, expect, finish, run, start,
                        unique_cluster)


def ready(*words):
    """A node that is a member, and what it says of itself."""
    process = start(*words)
    line = process.stdout.readline()
    expect('"ready"' in line, "it does not become a member", line)
    return process, json.loads(line)


def stop(process):
    """Ctrl-C; the last line, and what was said on the way."""
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process, 30)
    expect(code == EXIT_DONE, f"exit code {code}", out, err)
    return json.loads(out.strip().splitlines()[-1]), err


with tempfile.TemporaryDirectory() as folder:
    common = ["node", "--cluster", unique_cluster(), "--workload", "bank", "--json", "--seconds",
              "60", "--join-timeout", "60"]
    server_words = [*common, "--dir", os.path.join(folder, "store"), "--image-every", "0.2"]
    limit = ["--history-limit", "1000000"]
    parts = [os.path.join(folder, f"{i}.jsonl") for i in range(3)]

    # The nodes go on meanwhile, and with it again.
    server, _ = ready(*server_words, "--history", parts[0], *limit)
    node, _ = ready(*common, "--found", "never", "--history", parts[1], *limit)
    time.sleep(0.3)
    left, _ = stop(server)
    time.sleep(0.1)
    server, _ = ready(*server_words, "--history", parts[2], *limit)
    time.sleep(0.4)
    ended, _ = stop(node)
    now, words = stop(server)
    expect(words == "", "it complains", words)
    expect(ended["commit_time"] > left["commit_time"], "the node did not go on", str(ended))
    expect(now["commit_time"] >= ended["commit_time"], "these are two clusters", str(now))
    expect(now["images"]["images"] > 0 and now["images"]["restores"] == 0, "no images", str(now))
    protocol = ended["protocol"]
    expect(protocol["rollbacks"] == 0 and protocol["expulsions"] == 0, "undone", str(ended))
    check_histories(parts, folder)

    # Those it left are gone: it says so. Who starts at the same time founds nothing beside it.
    server, _ = ready(*server_words)
    node, _ = ready(*common, "--found", "never")
    stop(server)
    stop(node)
    server = start(*server_words)
    time.sleep(0.2)
    node, itself = ready(*common)
    line = json.loads(server.stdout.readline())
    expect(line["node"] != itself["node"], "these are two clusters", str(line), str(itself))
    _, words = stop(server)
    expect("nobody answers" in words and "commit time" in words, "it does not say so", words)
    stop(node)

    # A node that starts first founds another cluster of that name.
    node, _ = ready(*common)
    code, out, err = run(*server_words)
    expect(code == EXIT_NOT_FIT and "another cluster has its name" in err, f"{code}", out, err)
    stop(node)
    server, _ = ready(*server_words)
    stop(server)
