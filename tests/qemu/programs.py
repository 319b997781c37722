#!/usr/bin/env python3
"""Programs in the heap that were compiled without the kernel: one machine puts them there, both run them, and one
that was compiled with another interface of a service is refused with the names of the type and of the
entry. A machine that panics says what, where, and what its node did last.

Usage: programs.py HELLO STRANGER KERNEL
"""

import pathlib
import re
import socket
import subprocess
import sys
import tempfile

from cluster import Failure, Machine

PATIENCE = 30
STOPPED_BADLY = 35


def start(kernel, program, folder, machines):
    cables = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for number, cable in enumerate(cables):
        words = "found=" + ("always" if number == 0 else "never")
        machines.append(Machine(number, kernel, cable, words, folder, PATIENCE, [program]))
        machines[-1].wait_for("ready")
    installed = machines[0].ask("install program", "installed")
    if not installed["ok"]:
        raise Failure(f"the program is not put into the heap: {installed}")


def runs(kernel, program, folder, machines):
    start(kernel, program, folder, machines)
    numbers = [machine.ask("run program", "hello")["number"] for machine in (*machines, machines[1])]
    counted = machines[0].ask("counter", "counter")["value"]
    shown = machines[0].ask("screen", "screen")["rows"]
    expected = [[1, "hello from node 0, number 1"], [2, "hello from node 1, number 2"],
                [3, "hello from node 1, number 3"]]
    if numbers != [1, 2, 3] or counted != 4 or shown != expected:
        raise Failure(f"the program said {numbers}, the counter {counted}, the page shows {shown}")
    if not machines[1].ask("run another", "refused")["words"].startswith("there is no program"):
        raise Failure("a program that is not there runs")
    panics(machines[1])


def panics(machine):
    said = machine.process.communicate(b"panic\n", PATIENCE)[0].decode(errors="replace")
    events = r"(  event \d+ at \d+ us, commit time \d+.*\n){8}"
    for words in (r"PANIC: told to panic", r" at \S*operator\.cc:\d+", events):
        if not re.search(words, said):
            raise Failure(f"the report of a panic lacks '{words}': {said}")
    if machine.process.returncode != STOPPED_BADLY:
        raise Failure(f"a machine that panicked ended with {machine.process.returncode}")


def is_refused(kernel, program, folder, machines):
    start(kernel, program, folder, machines)
    for machine in machines:
        words = machine.ask("run program", "refused")["words"]
        if "CounterService" not in words or "next" not in words:
            raise Failure(f"it is refused with other words: {words}")
        print(words)
    if machines[0].ask("counter", "counter")["value"] != 1:
        raise Failure("a program that was refused has done something")


def main():
    hello, stranger, kernel = sys.argv[1:]
    for check, program in ((runs, hello), (is_refused, stranger)):
        machines = []
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(kernel, program, pathlib.Path(folder), machines)
            except (Failure, OSError, subprocess.TimeoutExpired) as failure:
                for machine in machines:
                    print(f"machine {machine.number}:", *machine.log[-20:], sep="\n  ")
                print(f"WRONG: {failure}\nagain: " + " ".join(sys.argv))
                return 1
            finally:
                for machine in machines:
                    machine.process.kill()
                    machine.process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
