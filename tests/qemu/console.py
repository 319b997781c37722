#!/usr/bin/env python3
"""The console of a machine: keys, display and serial port, and the page of text in the heap that a process and a
machine write on at once.

One machine with a VGA card, whose keys are pressed and whose display is read through QEMU's monitor, and one
process on the same segment.

Usage: console.py KERNEL PLURIX
"""

import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

from machines import card, command_line

PATIENCE = 30
COLUMNS, ANSWER_ROW, COMMAND_ROW = 80, 23, 24
KEYS = {" ": "spc", "\n": "ret", "\33": "esc", "/": "slash", ".": "dot", "\b": "backspace"}


class Failure(Exception):
    pass


class Program:
    """A process that is led by lines and answers in JSON."""

    def __init__(self, command):
        self.command = command
        self.process = subprocess.Popen(command, text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def say(self, line):
        self.process.stdin.write(line + "\n")

    def wait_for(self, event):
        for line in self.process.stdout:
            said = json.loads(line) if line.startswith("{") else {"event": line}
            if said["event"] == "time":
                self.say(f"time {said['number']} {time.monotonic_ns()}")
            if said["event"] == event:
                return said
            if said["event"] == "failed" or line.startswith("PANIC"):
                raise Failure(line)
        raise Failure(f"{self.command[0]} ended before it said {event}")

    def ask(self, line, event):
        self.say(line)
        return self.wait_for(event)


class Monitor:
    """QEMU's monitor: presses keys, reads memory."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.read()

    def read(self):
        data = b""
        while not data.endswith(b"(qemu) "):
            data += self.socket.recv(65536)
        return data.decode()

    def do(self, command):
        self.socket.sendall(command.encode() + b"\n")
        return self.read()

    def type(self, text):
        for character in text:
            self.do("sendkey " + KEYS.get(character, character) + " 20")
            time.sleep(0.05)

    def rows(self):
        """What stands on the display."""
        dump = self.do(f"xp /{25 * COLUMNS}hx 0xb8000")
        cells = [int(word, 16) & 0xff for line in dump.splitlines() if re.match(r"[0-9a-f]+: ", line)
                 for word in re.findall(r"0x([0-9a-f]{4})\b", line)]
        text = "".join(chr(cell) if 32 <= cell < 127 else " " for cell in cells)
        return [text[i:i + COLUMNS].rstrip() for i in range(0, len(text), COLUMNS)]


def wait_until(what, look, right):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        seen = look()
        if right(seen):
            return seen
        time.sleep(0.05)
    raise Failure(f"{what}; seen at last: {seen}")


def check(process, machine, monitor, number):
    counted = process.ask("write 3 5 a process was here", "written")
    if not counted["ok"]:
        raise Failure(f"a process cannot write: {counted}")
    wait_until("the display does not show what a process has written", monitor.rows,
               lambda rows: rows[3] == "     a process was here")

    monitor.type("coup\bnter\n")
    if machine.wait_for("counter")["value"] != 1:
        raise Failure("the counter does not begin with 1")
    wait_until("the answer is not on the display", monitor.rows,
               lambda rows: '"counter","value":1' in rows[ANSWER_ROW] and rows[COMMAND_ROW] == "")

    monitor.type("edit\nhello\nall")
    shown = wait_until("keys are not on the page", lambda: process.ask("screen", "screen")["rows"],
                       lambda rows: [number + 1, "all"] in rows)
    if shown != [[number, "hello"], [number + 1, "all"], [3, "     a process was here"]]:
        raise Failure(f"the page is {shown}")
    if machine.ask("screen", "screen")["rows"] != shown:
        raise Failure("the machine reads another page than the process")
    monitor.type("\33stat\n")
    machine.wait_for("stat")

    tasks = {task["task"]: task for task in machine.ask("ps", "ps")["tasks"]}
    busy = all(tasks[name]["runs"] > 0 for name in ("console", "collector", "display"))
    if not busy or not tasks["bank"]["asleep"]:
        raise Failure(f"the tasks are {tasks}")
    names = machine.ask("names system/services", "names")["names"]
    if sorted(names) != ["counter", "screen"]:
        raise Failure(f"the services are {names}")


def run(kernel, plurix, folder, programs):
    hub_socket, monitor_socket = str(folder / "hub"), str(folder / "monitor")
    hub = Program([plurix, "hub", "--socket", hub_socket, "--json"])
    programs.append(hub)
    hub.wait_for("ready")
    process = Program([plurix, "node", "--control", "--cluster", "console", "--found", "always", "--segment",
                       "hub:" + hub_socket])
    programs.append(process)
    process.wait_for("ready")
    machine = Program(command_line(
        kernel, "control=1 cluster=console found=never history=1000", "-device", "VGA",
        "-monitor", f"unix:{monitor_socket},server=on,wait=off",
        *card(1, "stream", f"server=off,addr.type=unix,addr.path={hub_socket}"),
        initrd=kernel + ".heap", firmware=None))
    programs.append(machine)
    number = machine.wait_for("ready")["node"]
    check(process, machine, Monitor(monitor_socket), number)
    machine.say("quit")
    if machine.process.wait(PATIENCE) != 33:
        raise Failure(f"the machine ended with {machine.process.returncode}")


def judge(run):
    """Runs `run(kernel, plurix, folder, programs)` with the two arguments of the command line, and
    leaves none of its programs behind. Returns the exit code."""
    programs = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            run(sys.argv[1], sys.argv[2], pathlib.Path(folder), programs)
        except (Failure, OSError, subprocess.TimeoutExpired) as failure:
            print(f"WRONG: {failure}\nagain: " + " ".join(sys.argv))
            return 1
        finally:
            for program in programs:
                program.process.kill()
                program.process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(judge(run))
