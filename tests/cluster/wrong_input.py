#!/usr/bin/env python3
"""Wrong input ends with exit code 2 and words that help; an unreachable cluster with 3."""

from run_plurix import (EXIT_DONE, EXIT_NOT_FIT, EXIT_NOT_REACHABLE, EXIT_USAGE, expect, run,
                        unique_cluster)

WRONG = [
    (("demo", "--workload", "lottery"), "registers"),
    (("demo", "--nodes", "65"), "64"),
    (("demo", "--nodes", "0"), "--qemu"),
    (("demo", "--pcap", "x.pcap"), "--transport segment"),
    (("demo", "--qemu", "1", "--workload", "graph"), "bank"),
    (("demo", "--kill-machine",), "--qemu"),
    (("hub",), "--socket"),
    (("hub", "--socket", "/tmp/x", "--drop", "101"), "--drop"),
    (("node", "--segment", "hub:/nonexistent", "--bind", "127.0.0.1:1"), "02:50:4c"),
    (("demo", "--heap", "plenty"), "plenty"),
    (("demo", "--heap", "1K"), "at least"),
    (("demo", "--seconds", "-1"), "--seconds"),
    (("demo", "--drop", "x"), "--drop"),
    (("demo", "--fault-source", "magic"), "sigsegv"),
    (("demo", "--strategy", "coin"), "first-wins"),
    (("demo", "--history", "/nonexistent/run.jsonl"), "/nonexistent/run.jsonl"),
    (("demo", "--trace", "/nonexistent/run.json"), "/nonexistent/run.json"),
    (("demo", "--no-such-flag",), "--no-such-flag"),
    (("node", "--bind", "nowhere"), "nowhere"),
    (("node", "--bind", "0.0.0.0:4000"), "address"),
    (("node", "--peer", "somewhere"), "somewhere"),
    (("node", "--workload", "lottery"), "none"),
    (("node", "--delay", "91"), "--delay"),
    (("inspect",), "subcommand"),
    (("inspect", "page"), "PAGE"),
    (("inspect", "page", "first"), "PAGE"),
    (("inspect", "names", "--bind", "nowhere"), "nowhere"),
    (("inspect", "heap", "--image", "5"), "--dir"),
    (("torture", "--faults", "loss,rain"), "reordering"),
    (("torture", "--workload", "lottery"), "registers"),
    (("torture", "--nodes", "0"), "1"),
    (("torture", "--minutes", "-1"), "--minutes"),
    (("torture", "--minutes", "soon"), "--minutes"),
    (("torture", "--patience", "0"), "--patience"),
    (("fly",), "--help"),
    ((), "--help"),
]

for args, words in WRONG:
    code, out, err = run(*args)
    expect(code == EXIT_USAGE, f"plurix {' '.join(args)}: exit code {code}", out, err)
    expect(words in out + err, f"plurix {' '.join(args)}: does not say {words}", out, err)

code, out, err = run("node", "--cluster", unique_cluster(), "--found", "never", "--join-timeout",
                     "0.3")
expect(code == EXIT_NOT_REACHABLE, f"nobody there: exit code {code}", out, err)

code, out, err = run("inspect", "heap", "--cluster", unique_cluster(), "--join-timeout", "0.3")
expect(code == EXIT_NOT_REACHABLE, f"nobody to inspect: exit code {code}", out, err)
expect("start its first node" in err, "does not say what would help", err)

for args in (("checkpoint", "list"), ("inspect", "heap"), ("pageserver",)):
    code, out, err = run(*args, "--dir", "/nonexistent/store")
    expect(code == EXIT_NOT_FIT, f"plurix {' '.join(args)} without a store: exit code {code}", out,
           err)
    expect(err.startswith(f"plurix {args[0]}"), f"the error does not name {args[0]}", err)
    expect("/nonexistent/store" in err, "does not say where it looked", err)

for command in ("demo", "node", "inspect", "check", "sim", "torture", "doctor", "version"):
    code, out, err = run(command, "--help")
    expect(code == EXIT_DONE, f"plurix {command} --help: exit code {code}", out, err)
    expect(out.count("  plurix " + command) >= 2, f"plurix {command} --help: two examples", out)
