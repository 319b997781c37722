#!/usr/bin/env python3
"""However a demo ends, no process of it is left behind; a node that dies is told of in words."""

import os
import signal
import time

from run_plurix import (EXIT_FAILED, expect, expect_gone, finish, start, wait_for_children)


def running_demo():
    demo = start("demo", "--seconds", "30", start_new_session=True)
    children = wait_for_children(demo, 3)
    time.sleep(0.5)
    return demo, children


# Ctrl-C reaches every process of the terminal.
demo, children = running_demo()
os.killpg(demo.pid, signal.SIGINT)
code, out, err = finish(demo, 10)
expect(code == EXIT_FAILED and "interrupted" in err, f"Ctrl-C: exit code {code}", out, err)
expect_gone(children)

# The same of a torture, while a node is stopped.
torture = start("torture", "--nodes", "3", start_new_session=True)
children = wait_for_children(torture, 3)
time.sleep(1)
os.kill(children[2], signal.SIGSTOP)
os.killpg(torture.pid, signal.SIGINT)
code, out, err = finish(torture, 10)
expect(code == EXIT_FAILED and "interrupted" in err, f"Ctrl-C: exit code {code}", out, err)
expect_gone(children)

# The demo itself is killed.
demo, children = running_demo()
demo.kill()
finish(demo, 10)
expect_gone(children)

# A node is killed.
demo, children = running_demo()
os.kill(children[1], signal.SIGKILL)
code, out, err = finish(demo, 10)
expect(code == EXIT_FAILED, f"killed node: exit code {code}", out, err)
expect("node 1" in err and "killed by signal 9" in err, "killed node: no words", out, err)
expect_gone(children)
