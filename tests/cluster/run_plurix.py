"""What the scripts of this folder share: the command, its demo, and complaints that say enough."""

import json
import os
import subprocess
import sys
import time

PLURIX = sys.argv[1]
EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_NOT_REACHABLE, EXIT_NOT_FIT, SKIP = 0, 1, 2, 3, 5, 77

NUMBERS = ("nodes", "seconds", "committed", "aborted", "page_fetches", "commit_time")


def fail(words, *outputs):
    print("FAILED:", words)
    for output in outputs:
        print(output[-4000:])
    sys.exit(1)


def expect(condition, words, *outputs):
    if not condition:
        fail(words, *outputs)


def start(*args, **kwargs):
    return subprocess.Popen([PLURIX, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **kwargs)


def finish(process, timeout=60):
    """The exit code and both outputs; a process that hangs is a failure."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        fail(f"still running after {timeout} s: {process.args}", out, err)
    return process.returncode, out, err


def run(*args):
    return finish(start(*args))


def check_histories(parts, folder, *words):
    """Judges the histories of one cluster's nodes together."""
    merged = os.path.join(folder, "all.jsonl")
    with open(merged, "w", encoding="utf-8") as target:
        for part in parts:
            with open(part, encoding="utf-8") as source:
                target.write(source.read())
    code, out, err = run("check", *words, merged)
    expect(code == EXIT_DONE, f"plurix check ends with {code}", out, err)


def check_demo(code, out, err):
    """The last line of a demo with --json, which must have gone well."""
    if code == EXIT_NOT_FIT:
        print(err)
        sys.exit(SKIP)
    expect(code == EXIT_DONE, f"exit code {code}", out, err)
    result = json.loads(out.splitlines()[-1])
    for key in NUMBERS:
        expect(isinstance(result[key], (int, float)), f"{key} is no number", out)
    expect(result["invariant"] is True, "the heap does not hold what it must", out)
    expect(result["history_checked"] is True, "the history was not checked", out)
    expect(result["violations"] == 0, "the history has violations", out)
    expect(result["committed"] > 0 and result["attempts"] > 0, "nothing happened", out)
    expect(len(result["per_node"]) == result["nodes"], "not every node is told of", out)
    if "killed" in result:
        expect(result["killed"]["attempts"] > 0, "nothing is known of what the killed machine did", out)
        expect(result["killed"]["fewest_commits_behind"] > 0, "a node does not work behind the death", out)
    print(out.splitlines()[-1])
    return result


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            return [int(child) for child in children.read().split()]
    except FileNotFoundError:
        return []


def wait_for_children(process, count, timeout=20):
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        children = children_of(process.pid)
        if len(children) == count:
            return children
        time.sleep(0.02)
    return fail(f"{count} processes were not started within {timeout} s")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def expect_gone(pids, timeout=5):
    until = time.monotonic() + timeout
    while any(is_alive(pid) for pid in pids):
        expect(time.monotonic() < until, f"left behind: {[p for p in pids if is_alive(p)]}")
        time.sleep(0.02)


def unique_cluster():
    return f"test-{os.getpid()}"
