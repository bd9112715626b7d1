"""Real Elasticsearch nodes for tests, 8.19 and 9.5, without Docker: jars from Maven Central.

Open about what they are: server, HTTP transport, security and licence are the vendor's own. The
module `analysis-common` is not on Maven Central, nor are the plugins analysis-smartcn and
analysis-icu, so `elastic/node/TestNode.java` registers the Lucene classes that they would, under
their names. Painless and reindex are modules as well, and absent, and so is the vendor's native
code, whose place Java takes. The launcher is not used, so neither are its own checks (of the user,
of the file limits): bound to 127.0.0.1 only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from retrievers.elastic import ElasticsearchRetriever

Connect = Callable[..., ElasticsearchRetriever]
"""The fixture `connect`: makes retrievers of fresh corpora on the node."""

HERE = Path(__file__).parent / "elastic" / "node"
NAMED = os.environ.get("HOPTREE_TEST_ES", "").rstrip("/")
"""A node, `es://host:port`, that the tests are to use instead of those they start."""
OLDEST_JAVA = {"8": 17, "9": 21}
"""The servers that can be started, with the Java that each needs at least."""
SERVERS = ("named",) if NAMED else tuple(OLDEST_JAVA)
PASSWORDS = {
    "elastic": "elastic-password",
    "searcher": "searcher-password",
    "stranger": "stranger-password",
}
"""The users of a node with security: one that may do all, one that may search, and one nothing."""
START_SECONDS = 120
QUICK_TO_START = ("-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
QUICK_TO_RUN = ("-XX:+UseG1GC", "-XX:+AlwaysPreTouch", "--add-modules=jdk.incubator.vector")
"""Options of the Java machine: for tests, and (those of the vendor's launcher) for benchmarks."""


class NodeUnavailableError(Exception):
    """No node can be started here; the message says why."""


@dataclass(frozen=True)
class Installation:
    """What a node is started from."""

    java: Path
    jars: str
    """The class path, with the node's own class compiled for it."""


def install(server: str, folder: Path) -> Installation:
    """Compile a node of the major version `server` into `folder`; jars come from Maven's cache.

    Raises
    ------
    NodeUnavailableError
        Where Java or Maven is missing, or Maven has neither the jars nor a network.
    """
    java = java_home(OLDEST_JAVA[server]) / "bin"
    if shutil.which("mvn") is None:
        raise NodeUnavailableError("no Elasticsearch node: mvn is not installed")
    listing = folder / "class-path.txt"
    resolve = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), f"-Pelasticsearch-{server}"]
    resolve += ["dependency:build-classpath", f"-Dmdep.outputFile={listing}"]
    # Offline first: with a warm cache nothing is asked of the network.
    if _run([*resolve, "-o"]).returncode and (failed := _run(resolve)).returncode:
        raise NodeUnavailableError(f"no Elasticsearch node: Maven says {failed.stdout[-800:]}")
    jars = listing.read_text(encoding="utf-8").strip()
    source = str(HERE / "TestNode.java")
    classes = str(folder / "classes")
    compiled = _run(
        [str(java / "javac"), "-nowarn", "-proc:none", "-d", classes, "-cp", jars, source]
    )
    if compiled.returncode:
        raise NodeUnavailableError(f"no Elasticsearch node: javac says {compiled.stdout[-800:]}")
    return Installation(java / "java", f"{classes}{os.pathsep}{jars}")


def java_home(oldest: int) -> Path:
    """Return the oldest JDK here that is new enough: the nearest to what the server is made for.

    Raises
    ------
    NodeUnavailableError
        Where there is none.
    """
    named = [os.environ.get(name) for name in ("HOPTREE_JAVA21_HOME", "JAVA_HOME")]
    homes = [Path(home) for home in named if home]
    if javac := shutil.which("javac"):
        homes.append(Path(javac).resolve().parent.parent)
    homes += sorted(Path("/usr/lib/jvm").glob("*"))
    fitting = {home: version for home in homes if (version := _java_version(home)) >= oldest}
    if not fitting:
        raise NodeUnavailableError(
            f"no Elasticsearch node: it needs a JDK of Java {oldest} or later, which neither "
            "HOPTREE_JAVA21_HOME nor JAVA_HOME names, and neither PATH nor /usr/lib/jvm holds"
        )
    return min(fitting, key=fitting.__getitem__)


def _java_version(home: Path) -> int:
    """Return the major version of the JDK in a folder, 0 where there is none."""
    if not (home / "bin" / "javac").exists():
        return 0
    with suppress(OSError):
        release = (home / "release").read_text(encoding="utf-8")
        if found := re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE):
            return int(found[1])
    return 0


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
def running(
    folder: Path,
    installation: Installation,
    *options: str,
    heap: str = "512m",
    jvm: Sequence[str] = QUICK_TO_START,
) -> Iterator[Running]:
    """Start a node with its data in `folder`, yield it when healthy, stop it at the end.

    The option `chinese` gives it the analysers of the Chinese and the ICU plugin, `security` turns
    security on, with the users of `PASSWORDS`.
    """
    (folder / "config").mkdir(parents=True, exist_ok=True)
    if "security" in options:
        shutil.copytree(HERE / "security", folder / "config", dirs_exist_ok=True)
    log = folder / "node.log"
    command = [
        str(installation.java),
        *jvm,
        f"-Xmx{heap}",
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
    ]
    command += ["-cp", installation.jars, "org.elasticsearch.node.TestNode", str(folder), *options]
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
            known = b64encode(f"elastic:{PASSWORDS['elastic']}".encode()).decode()
            asked = Request(health, headers={"Authorization": f"Basic {known}"})
            with urlopen(asked) as answer:
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


def newest(folder: Path) -> Installation:
    """Compile a node of version 9 into `folder`, or of 8 where Java is too old for it."""
    try:
        return install("9", folder)
    except NodeUnavailableError:
        return install("8", folder)


def main(command: list[str]) -> int:
    """Run a command with a node of the newest version that Java allows; ES names it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder / "home", newest(folder), heap="1g", jvm=QUICK_TO_RUN) as node:
            named = {"ES": f"es://127.0.0.1:{node.port}"}
            return subprocess.run(command, env={**os.environ, **named}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
