#!/usr/bin/env python3
"""A demo with machines leaves no process behind when it is interrupted or killed, and says in words
that QEMU or the kernel is missing."""

import os
import signal
import time

from run_plurix import (EXIT_FAILED, EXIT_NOT_FIT, expect, expect_gone, finish, run, start,
                        wait_for_children)


def running_demo():
    demo = start("demo", "--seconds", "30", "--qemu", "1", "--hosted", "1", start_new_session=True)
    children = wait_for_children(demo, 3)  # the hub, a process, a machine
    time.sleep(1)
    return demo, children


demo, children = running_demo()
os.killpg(demo.pid, signal.SIGINT)
code, out, err = finish(demo, 10)
expect(code == EXIT_FAILED and "interrupted" in err, f"Ctrl-C: exit code {code}", out, err)
expect_gone(children)

demo, children = running_demo()
demo.kill()
finish(demo, 10)
expect_gone(children)

code, out, err = run("demo", "--qemu", "1", "--kernel", "/nonexistent/kernel")
expect(code == EXIT_NOT_FIT and "/nonexistent/kernel" in err, f"no kernel: exit code {code}", out, err)

code, out, err = finish(start("demo", "--qemu", "1", env={"PATH": "/nonexistent"}))
expect(code == EXIT_NOT_FIT and "qemu-system-x86" in err, f"no QEMU: exit code {code}", out, err)
