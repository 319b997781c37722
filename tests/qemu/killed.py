#!/usr/bin/env python3
"""A machine is killed while it works. Pages that only it had are gone, so the cluster may go back to an empty heap;
the other machine goes on running its kernel, puts it into the heap again, and a newcomer gets it from there.

Usage: killed.py KERNEL PLURIX
"""

import sys
import time

from console import PATIENCE, Failure, Program, judge
from machines import card, command_line


def machine(number, kernel, hub, brings_kernel):
    return command_line(kernel, "control=1 cluster=killed found=never history=1000",
                        *card(number, "stream", f"server=off,addr.type=unix,addr.path={hub}"),
                        initrd=kernel + ".heap" if brings_kernel else None)


def run(kernel, plurix, folder, programs):
    hub_socket = str(folder / "hub")

    def start(command, event="ready"):
        programs.append(Program(command))
        print(programs[-1].wait_for(event))
        return programs[-1]

    start([plurix, "hub", "--socket", hub_socket, "--json"])
    process = start([plurix, "node", "--control", "--cluster", "killed", "--found", "always", "--page-server",
                     "--workload", "bank", "--segment", "hub:" + hub_socket])
    survivor = start(machine(1, kernel, hub_socket, True))
    victim = start(machine(2, kernel, hub_socket, False))
    process.ask("setup", "setup")
    for node in (process, survivor, victim):
        node.say("start")
    time.sleep(0.5)
    victim.process.kill()
    time.sleep(1)
    for node in (process, survivor):
        print(node.ask("stop", "stopped"))
    newcomer = start(machine(3, kernel, hub_socket, False))
    first = survivor.ask("counter", "counter")["value"]
    second = newcomer.ask("counter", "counter")["value"]
    if (first, second) != (1, 2):
        raise Failure(f"the machines count {first} and {second}")
    newcomer.say("quit")
    if newcomer.process.wait(PATIENCE) != 33:
        raise Failure(f"the newcomer ended with {newcomer.process.returncode}")


if __name__ == "__main__":
    sys.exit(judge(run))
