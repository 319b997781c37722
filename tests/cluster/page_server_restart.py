#!/usr/bin/env python3
"""A heap outlives all its nodes. Killed with kill -9, all of them, it goes on from the newest image;
a node that dies with the only copy of a page takes the cluster back to it; and a PageServer that is
killed and started again goes on with its nodes. The bank's sum is right after each of these, and
nothing that was durable is gone."""

import json
import os
import signal
import tempfile
import time

from run_plurix import (EXIT_DONE, EXIT_FAILED, EXIT_NOT_FIT, check_histories, expect, finish, run,
                        start, unique_cluster)


def ready(*words):
    """A node that is a member already."""
    process = start(*words)
    line = process.stdout.readline()
    expect('"ready"' in line, "it does not become a member", line)
    return process


def last(out):
    return json.loads(out.strip().splitlines()[-1])


with tempfile.TemporaryDirectory() as folder:
    cluster = unique_cluster()
    store = os.path.join(folder, "store")
    common = ["node", "--cluster", cluster, "--workload", "bank", "--json", "--join-timeout", "60"]
    server_words = [*common, "--dir", store, "--image-every", "0.2", "--zstd", "1"]

    server = ready(*server_words, "--seconds", "60")
    workers = [ready(*common, "--found", "never", "--seconds", "60") for _ in range(2)]
    time.sleep(1.5)
    code, out, err = run(*server_words, "--bind", "127.0.0.1:0", "--seconds", "1")
    expect(code == EXIT_NOT_FIT and "another PageServer" in err, f"a second one: {code}", out, err)
    for node in (server, *workers):
        node.send_signal(signal.SIGKILL)
        node.wait()

    # Everything again from the disk; then the PageServer alone is killed, and comes back.
    server = ready(*server_words, "--seconds", "60")
    parts = [os.path.join(folder, f"{i}.jsonl") for i in range(3)]
    survivor = ready(*common, "--found", "never", "--seconds", "10", "--history", parts[0])
    time.sleep(1.5)
    server.send_signal(signal.SIGKILL)
    server.wait()
    server = ready(*server_words, "--seconds", "60", "--history", parts[1])
    time.sleep(0.5)
    # A node that transacts alone with everybody's pages dies with the only copies.
    victim = ready(*common, "--found", "never", "--seconds", "60")
    time.sleep(1.0)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    code, out, err = finish(survivor, 60)
    expect(code == EXIT_DONE, f"the survivor: exit code {code}", out, err)
    # As a member or, where the machine gave it no processor for too long, as a newcomer.
    protocol = last(out)["protocol"]
    expect(protocol["epochs_entered"] + protocol["expulsions"] >= 2, "it took no part", out)
    server.send_signal(signal.SIGINT)
    code, out, err = finish(server, 30)
    expect(code == EXIT_DONE, f"the PageServer: exit code {code}", out, err)
    images = last(out)["images"]
    expect(images["images"] >= 2 and images["restores"] >= 1, "no images", out)
    check_histories(parts[:2], folder, "--checks", "rollback")

    # What is on the disk can be looked at without any node.
    code, out, err = run("inspect", "heap", "--verify", "--dir", store, "--json")
    expect(code == EXIT_DONE, f"inspect ends with {code}", out, err)
    look = json.loads(out)
    expect(look["found"]["verified"]["sound"] and look["commit_time"] > 0, "no sound image", out)
    code, out, err = run("inspect", "object", "bank.ledger", "--dir", store, "--json")
    expect(code == EXIT_DONE and json.loads(out)["found"]["type"].endswith("Ledger"),
           f"no ledger: {code}", out, err)
    code, out, err = run("inspect", "names", "--dir", store, "--image", "1")
    expect(code == EXIT_FAILED and "no image of commit time 1" in err, f"{code}", out, err)

    # In the end the bank has what it had at first, and all of it is on the disk.
    code, out, err = run(*server_words, "--seconds", "0.3", "--verify")
    expect(code == EXIT_DONE, f"verification ends with {code}", out, err)
    verified = [json.loads(line) for line in out.splitlines() if '"verified"' in line]
    expect(verified and verified[0]["ok"], "the bank's sum is wrong", out)
