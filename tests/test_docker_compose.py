"""docker-compose.yml: what it promises, and that Docker can read it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import elastic_node
import pytest
import yaml

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docker-compose.yml"


@pytest.fixture
def service() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return dict(found["services"]["elasticsearch"])


def test_image_is_of_a_version_that_the_tests_run_on(service: dict[str, Any]) -> None:
    tested = re.findall(
        r"<elasticsearch\.version>(.+?)<", (elastic_node.HERE / "pom.xml").read_text("utf-8")
    )
    version = service["image"].rpartition(":")[2]

    assert len(tested) == 2
    assert version in tested


def test_node_has_a_health_check_limits_a_volume_and_a_password(service: dict[str, Any]) -> None:
    environment = service["environment"]

    assert "_cluster/health" in service["healthcheck"]["test"][-1]
    assert {"interval", "timeout", "retries"} <= service["healthcheck"].keys()
    assert service["mem_limit"] == "${ELASTIC_MEMORY:-2g}"
    assert service["volumes"] == ["elasticsearch-data:/usr/share/elasticsearch/data"]
    assert environment["xpack.security.enabled"] == "true"
    assert environment["ELASTIC_PASSWORD"].startswith("${ELASTIC_PASSWORD:?")
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_every_variable_is_explained_in_the_example(service: dict[str, Any]) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", FILE.read_text(encoding="utf-8")))

    assert used == set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def compose() -> list[str]:
    for command in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(command[0])
            and not subprocess.run([*command, "version"], capture_output=True).returncode
        ):
            return command
    pytest.skip("docker compose is not installed")


@pytest.mark.parametrize("password", ["secret", ""])
def test_docker_reads_the_file_and_demands_a_password(tmp_path: Path, password: str) -> None:
    env = {**os.environ, "ELASTIC_PASSWORD": password}
    read = subprocess.run(
        [*compose(), "-f", str(FILE), "config"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert (read.returncode == 0) == bool(password), read.stderr
    if not password:
        assert "write it into .env" in read.stderr
