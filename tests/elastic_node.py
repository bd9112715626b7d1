"""A real Elasticsearch 8.19 node for tests, without Docker: the vendor's jars from Maven Central.

Open about what it is: server and HTTP transport are the vendor's own. The module `analysis-common`
is not on Maven Central, nor are the plugins analysis-smartcn and analysis-icu, so
`elastic/node/TestNode.java` registers the Lucene classes that they would, under their names.
Security, licence, Painless and reindex are modules as well, and absent. The launcher is not used,
so neither are its own checks (of the user, of the file limits): bound to 127.0.0.1 only.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from retrievers.elastic import ElasticsearchRetriever

Connect = Callable[..., ElasticsearchRetriever]
"""The fixture `connect`: makes retrievers of fresh corpora on the node."""

HERE = Path(__file__).parent / "elastic" / "node"
START_SECONDS = 120
JVM = ["-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


class NodeUnavailableError(Exception):
    """No node can be started here; the message says why."""


def class_path(folder: Path) -> str:
    """Return the class path of the node, compiled into `folder`; jars come from Maven's cache.

    Raises
    ------
    NodeUnavailableError
        Where Java 17 or Maven is missing, or Maven has neither the jars nor a network.
    """
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            raise NodeUnavailableError(f"no Elasticsearch node: {program} is not installed")
    listing = folder / "class-path.txt"
    resolve = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:build-classpath"]
    resolve.append(f"-Dmdep.outputFile={listing}")
    # Offline first: with a warm cache nothing is asked of the network.
    if _run([*resolve, "-o"]).returncode and (failed := _run(resolve)).returncode:
        raise NodeUnavailableError(f"no Elasticsearch node: Maven says {failed.stdout[-800:]}")
    jars = listing.read_text(encoding="utf-8").strip()
    source = str(HERE / "TestNode.java")
    classes = str(folder / "classes")
    compiled = _run(["javac", "-nowarn", "-proc:none", "-d", classes, "-cp", jars, source])
    if compiled.returncode:
        raise NodeUnavailableError(f"no Elasticsearch node: javac says {compiled.stdout[-800:]}")
    return f"{classes}{os.pathsep}{jars}"


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )


@dataclass(frozen=True)
class Running:
    """A node that was started."""

    port: int
    kill: Callable[[], None]
    """End its process at once, as a crash would."""


@contextmanager
def running(folder: Path, jars: str, *options: str, heap: str = "512m") -> Iterator[Running]:
    """Start a node with its data in `folder`, yield it when healthy, stop it at the end.

    The option `chinese` gives it the analysers of the Chinese and the ICU plugin.
    """
    (folder / "config").mkdir(parents=True, exist_ok=True)
    log = folder / "node.log"
    command = [
        "java",
        *JVM,
        f"-Xmx{heap}",
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
    ]
    command += ["-cp", jars, "org.elasticsearch.node.TestNode", str(folder), *options]
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdin and process.stdout
        # The node stops when its stdin closes: at the end of this block, or when we die.
        guard = threading.Timer(START_SECONDS, process.kill)
        guard.start()
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the node did not start:\n{log.read_text()[-3000:]}")
            port = int(line)
            health = f"http://127.0.0.1:{port}/_cluster/health?wait_for_status=yellow&timeout=60s"
            with urlopen(health) as answer:
                assert not json.load(answer)["timed_out"]
            guard.cancel()
            yield Running(port, process.kill)
        finally:
            guard.cancel()
            with suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
