"""Reads every result in a folder with parsers that are not the project's, and says how many there were.

Behind the message each format has the rules that the test holds."""
import base64, json, pathlib, sys, xml.dom.minidom, yaml

folder = pathlib.Path(sys.argv[1])
rounds = sorted({int(p.name.split(".")[0]) for p in folder.iterdir()})


def text(n, name):
    return (folder / f"{n}.{name}").read_bytes().decode("utf-8")


def children(node, name):
    return node.getElementsByTagName(name)


for n in rounds:
    try:
        result = json.loads(text(n, "result.json"))
        message = result["tests"][1]["message"]

        junit = xml.dom.minidom.parseString((folder / f"{n}.junit.xml").read_bytes())
        assert len(children(junit, "testcase")) == 2 and len(children(junit, "failure")) == 1
        assert children(junit, "failure")[0].firstChild.data.startswith(message)
        assert children(junit, "property")[0].getAttribute("value") == result["submission"]

        lines = text(n, "tap").split("\n")
        assert lines[:2] == ["TAP version 14", "1..2"] and lines[-2] == "# Score: 3/7", lines
        assert [line for line in lines if line.startswith(("ok", "not ok"))] == [
            "ok 1 - first/one-test (public)", "not ok 2 - first/two (public)"]
        begin = [i for i, line in enumerate(lines) if line == "  ---"]
        end = [i for i, line in enumerate(lines) if line == "  ..."]
        assert yaml.safe_load("\n".join(lines[begin[1] + 1:end[1]]))["message"].startswith(message)

        gradescope = json.loads(text(n, "gradescope.json"))
        assert gradescope["score"] == 3 and [t["score"] for t in gradescope["tests"]] == [3, 0]
        assert gradescope["tests"][1]["output"].startswith(message)

        classroom = json.loads(base64.b64decode(text(n, "classroom")))
        assert [t["score"] for t in classroom["tests"]] == [3, 0] and classroom["tests"][1]["message"].startswith(message)
    except Exception as e:
        sys.exit(f"result {n}: {type(e).__name__}: {e}\n{result['tests'][1]!r}")
print(f"{len(rounds)} results in 5 formats")
