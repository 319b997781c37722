#!/usr/bin/env python3
"""Words that nodes have next to each other are named and moved apart, and the run stays correct;
one word for all is left where it is."""

from run_plurix import check_demo, expect, run

ENOUGH = 200  # aborted attempts: with less the nodes hardly met, and there was nothing to find


def demo(workload):
    result = check_demo(*run("demo", "--json", "--seconds", "2", "--workload", workload,
                             "--false-sharing", "dissolve", "--verify"))
    return result, result["sharing"]


def words_of(objects):
    return [o for o in objects if o["type"].startswith("plurix::workloads::Words<")]


result, found = demo("falseshare")
falsely = [report for report in found if report["sharing"] == "false"]
expect(len(falsely) == len(found), "separate words are said to be truly shared", str(found))
expect(falsely or result["aborted"] < ENOUGH, "nothing was found", str(result))
for report in falsely:
    ours = [o for o in report["objects"] if o["ours"]]
    expect(ours and not any(o["theirs"] for o in ours), "an object on both sides", str(report))
    expect(words_of(report["objects"]), "the objects are not named", str(report))
    expect(report["node"] not in report["others"], "a node is said to disturb itself", str(report))
    for moved in (o for o in report["objects"] if o["moved_to"]):
        expect(hex(moved["moved_to"]) in report["words"], "the words do not name it", str(report))

result, found = demo("counter")
expect(not any(o["moved_to"] for report in found for o in report["objects"] if o["theirs"]),
       "what is truly shared was moved", str(found))
