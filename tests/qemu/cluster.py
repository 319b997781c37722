#!/usr/bin/env python3
"""Two machines in QEMU, one cable, one cluster: both work on the bank, then the sum and the whole history are checked.

Usage: cluster.py [--seconds S] [--seed N] [--drop PERCENT] [--keep FOLDER] [--words WORDS] [--second-kernel KERNEL] KERNEL PLURIX
"""

import argparse
import json
import os
import pathlib
import random
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from machines import QEMU, card, command_line

WELL = 33
UNANSWERED = {2, 20}  # questions for the time: a busy host may lose some


class Failure(Exception):
    pass


class Machine:
    """A kernel under control of its first serial port; answers its questions for the time."""

    def __init__(self, number, kernel, cable, words, folder, patience, programs=()):
        self.number, self.patience = number, patience
        self.history = folder / f"history.{number}.jsonl"
        self.command = command_line(
            kernel, "control=1 cluster=test history=100000 " + words, "-serial", f"file:{self.history}",
            *card(number + 1, "dgram", f"local.type=fd,local.str={cable.fileno()}"), memory=192,
            initrd=",".join([f"{kernel}.heap", *programs]) if number == 0 else None)
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        pass_fds=[cable.fileno()])
        self.unread, self.log = b"", []

    def send(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def lines(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return []
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            raise Failure(f"machine {self.number} ended: {self.process.wait(10)}")
        *lines, self.unread = (self.unread + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def wait_for(self, event):
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            for line in self.lines(0.2):
                self.log.append(line)
                said = json.loads(line) if line.startswith("{") else {}
                if said.get("event") == "time":
                    if said["number"] not in UNANSWERED:
                        self.send(f"time {said['number']} {time.monotonic_ns()}")
                elif said.get("event") == event:
                    return said
                elif said.get("event") == "failed" or line.startswith("PANIC"):
                    raise Failure(f"machine {self.number}: {line}")
        raise Failure(f"machine {self.number} has not said '{event}' for {self.patience} s")

    def ask(self, command, event):
        self.send(command)
        return self.wait_for(event)


def relay(source, target, drop, seed):
    """Hands frames on until the program ends, but for some."""
    draw = random.Random(seed)
    while True:
        frame = source.recv(65536)
        if draw.random() * 100 >= drop:
            target.send(frame)


def cables_for(options):
    """One end for each machine: of one cable, or of two with a lossy relay between them."""
    if options.drop == 0:
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
    inner = [pair[1] for pair in pairs]
    for source, target in (inner, reversed(inner)):
        threading.Thread(target=relay, args=(source, target, options.drop, options.seed), daemon=True).start()
    options.kept_open = inner
    return [pair[0] for pair in pairs]


def run(options, folder, machines):
    cables = cables_for(options)
    for number, cable in enumerate(cables):
        cable.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        words = f"{options.words} seed={options.seed} found=" + ("always" if number == 0 else "never")
        kernel = options.second_kernel if number == 1 and options.second_kernel else options.kernel
        machines.append(Machine(number, kernel, cable, words, folder, options.patience))
        ready = machines[-1].wait_for("ready")
        print(ready)
        check_kernel(ready, number == 0, "kernel=each" in options.words)
    machines[0].ask("setup", "setup")
    for machine in machines:
        machine.send("start")
    time.sleep(options.seconds)
    stopped = []
    for machine in machines:
        stopped.append(machine.ask("stop", "stopped"))
        print(stopped[-1])
    verified = machines[0].ask("verify heap", "verified")
    counted = [machine.ask("counter", "counter")["value"] for machine in machines]
    names = machines[1].ask("names", "names")["names"]
    if counted != [1, 2] or "bank.ledger" not in names or "console/" not in names:
        raise Failure(f"the consoles show {counted} and {names}")
    for machine in machines:
        saved = machine.ask("save - -", "saved")
        print(saved)
        if not saved["clock_compared"]:
            raise Failure(f"machine {machine.number} gave up comparing clocks for lost answers")
    print(verified["words"])
    for machine in reversed(machines):
        machine.send("quit")
        if machine.process.wait(options.patience) != WELL:
            raise Failure(f"machine {machine.number} ended with {machine.process.returncode}")
    if not verified["ok"]:
        raise Failure("the bank is wrong")
    if min(machine["committed"] - machine["read_only"] for machine in stopped) == 0:
        raise Failure("a machine has changed nothing")
    check(options, [machine.history for machine in machines], folder)


def check_kernel(ready, first, one_by_one):
    """The first machine puts the kernel into the heap, the others ask for each of its pages."""
    wanted = 0 if first else ready["kernel_pages"]
    wrong = ready["page_fetches"] == 0 if one_by_one and not first else ready["kernel_requests"] != wanted
    if wrong or ready["put_kernel_into_heap"] != first or ready["kernel_pages"] < 10:
        raise Failure(f"that is not how it should get its kernel: {ready}")


def check(options, histories, folder):
    merged = folder / "history.jsonl"
    merged.write_bytes(b"".join(history.read_bytes() for history in histories))
    checked = subprocess.run([options.plurix, "check", str(merged)], text=True, capture_output=True)
    print(checked.stdout + checked.stderr)
    if checked.returncode != 0:
        raise Failure("the history is wrong")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=30, help="seconds for an answer")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for the histories")
    parser.add_argument("--drop", type=float, default=0, help="percent of the frames to lose")
    parser.add_argument("--words", default="", help="more for the kernels' command lines")
    parser.add_argument("--second-kernel", help="of the second machine, if another")
    parser.add_argument("kernel")
    parser.add_argument("plurix")
    options = parser.parse_args()
    if shutil.which(QEMU) is None:
        sys.exit(f"{QEMU} is not installed (Debian: qemu-system-x86)")
    machines = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(exist_ok=True)
        try:
            run(options, folder, machines)
        except (Failure, OSError, subprocess.TimeoutExpired) as failure:
            for machine in machines:
                print(f"machine {machine.number}:", *machine.log[-20:], machine.unread, sep="\n  ")
            print(f"WRONG: {failure}\nagain: " + shlex.join(sys.argv))
            return 1
        finally:
            for machine in machines:
                if machine.process.poll() is None:
                    machine.process.kill()
                    machine.process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
