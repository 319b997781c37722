#!/usr/bin/env python3
"""plurix inspect shows what stands in a running cluster's heap, and leaves no trace in it."""

import json
import signal
import time

from run_plurix import EXIT_DONE, EXIT_FAILED, expect, finish, run, start, unique_cluster

cluster = unique_cluster()


def inspect(*args):
    code, out, err = run("inspect", *args, "--cluster", cluster, "--json")
    expect(code == EXIT_DONE, f"inspect {args}: exit code {code}", out, err)
    return json.loads(out)


def found(*args):
    return inspect(*args)["found"]


def refused(words, *args):
    code, out, err = run("inspect", *args, "--cluster", cluster, "--json")
    expect(code == EXIT_FAILED and words in err, f"inspect {args}: exit code {code}", out, err)
    expect(words in json.loads(out)["error"], "the JSON does not say it", out)


def check_links(offset, depth):
    """Where an object's links lead to, its backchain says so, and the other way round."""
    seen = found("object", hex(offset))
    expect(seen["offset"] == offset, f"another object than {offset:#x}", json.dumps(seen))
    expect(len(seen["linked_from"]) == seen["links_in"], "not all links are told", json.dumps(seen))
    for link in seen["links"][:3]:
        there = found("object", str(link["to"]))
        expect(there["type"] == link["type"], "another type", json.dumps(there))
        expect(any(entry.get("object") == offset for entry in there["linked_from"]),
               f"{link['to']:#x} does not know of {offset:#x}", json.dumps(there))
        if depth > 0:
            check_links(link["to"], depth - 1)
    return seen


host = start("node", "--cluster", cluster, "--heap", "32M", "--json")
try:
    until = time.monotonic() + 60
    # Who only looks and has begun in the same moment waits for the cluster, not the other way round.
    found("heap")
    expect('"ready"' in host.stdout.readline(), "the cluster does not begin")
    worker = start("node", "--cluster", cluster, "--heap", "32M", "--workload", "graph",
                   "--seconds", "2")
    while run("inspect", "object", "graph", "--cluster", cluster)[0] != EXIT_DONE:
        expect(time.monotonic() < until, "the workload does not begin")
    busy = found("heap")
    expect(busy["objects"] > 10 and not busy["broken_pages"], "a busy heap", json.dumps(busy))
    code, out, err = finish(worker)
    expect(code == EXIT_DONE, f"the worker: exit code {code}", out, err)

    # What the worker dropped last is collected by who stays.
    while found("heap")["unlinked"] > 0:
        expect(time.monotonic() < until, "garbage stays")
    first = inspect("heap", "--verify")
    heap = first["found"]
    expect(heap["verified"]["sound"], "not sound", json.dumps(heap))
    expect(heap["pages"] == 32 * 256, "another heap size", json.dumps(heap))
    types = {kind["name"]: kind for kind in heap["types"]}
    vertex = "plurix::workloads::Graph::Vertex"
    expect(types[vertex]["objects"] > 0 and heap["unlinked"] == 0, "no graph", json.dumps(heap))
    expect(sum(kind["objects"] for kind in heap["types"]) == heap["objects"] ==
           sum(node["objects"] for node in heap["nodes"]), "the sums differ", json.dumps(heap))

    described = {kind["name"]: kind for kind in found("types")}
    expect(set(types) - {""} <= set(described), "a type without a description")
    fields = {field["name"]: field["offset"] for field in described[vertex]["fields"]}
    expect(fields["index"] == 0 and fields["structure"] == 8 and "edges" in fields,
           "other fields", json.dumps(described[vertex]))
    expect(described[vertex]["links"] == 4, "other links", json.dumps(described[vertex]))

    names = {name["path"]: name for name in found("names")}
    forest = check_links(names["graph"]["object"], 2)
    expect(forest["type"] == "plurix::workloads::Graph::Forest" and forest["large"], "no forest")
    expect(found("object", hex(0x550000000000 + forest["offset"]))["offset"] == forest["offset"],
           "an address is not taken for the offset it is")
    table = found("object", str(forest["links"][0]["to"]))
    one = found("object", str(table["links"][0]["to"]))
    expect(one["type"] == vertex and one["value"]["index"] == 0, "no vertex", json.dumps(one))
    page = found("page", str(one["page"]))
    expect(page["sound"] and one["offset"] in [o["offset"] for o in page["objects"]],
           "the page does not hold it", json.dumps(page))
    expect(found("page", "0")["use"] == "root block", "page 0")

    refused("no object stands at", "object", "0x8")
    refused("inspect names", "object", "shop/customers")
    refused("inspect names", "names", "shop")
    refused("8192 pages", "page", "8192")

    last = inspect("heap")
    expect(first["other_nodes"] == 1, "before: it did not leave", json.dumps(first))
    expect(last["other_nodes"] == 1, "it did not leave", json.dumps(last))
    expect(last["found"]["objects"] == heap["objects"] and
           last["found"]["free_pages"] == heap["free_pages"], "the heap has changed")
    for view in (("heap",), ("page", str(one["page"])), ("object", "graph"), ("types",), ("names",)):
        code, out, err = run("inspect", *view, "--cluster", cluster)
        expect(code == EXIT_DONE and "commit time" in out and "Graph" in out, f"{view}", out, err)
finally:
    host.send_signal(signal.SIGINT)
    finish(host, 20)
