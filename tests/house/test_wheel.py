"""The wheel, unpacked outside the checkout, holds everything that doctor, draft and serve need."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.scenarios import world

ROOT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-c", "from crmplugin.cli import main; main()"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder / "dist", ROOT], check=True)
    wheel = next((folder / "dist").glob("*.whl"))
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder / "site"


@pytest.fixture
def elsewhere(site: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a process that sees only the wheel."""
    return {**os.environ, "PYTHONPATH": str(site), "CRMPLUGIN_VAR": str(tmp_path / "var")}


def run(env: dict[str, str], folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *args], env=env, cwd=folder, capture_output=True, text=True)


def patient_session() -> requests.Session:
    """A session that tries to connect until the server listens."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(connect=20, backoff_factor=0.1, backoff_max=1)))
    return session


def test_the_package_comes_from_the_wheel(site: Path, elsewhere: dict[str, str], tmp_path: Path):
    code = "import crmplugin, connectors, prompts; print(crmplugin.__file__, connectors.__file__, prompts.__file__)"

    done = subprocess.run([sys.executable, "-c", code], env=elsewhere, cwd=tmp_path, capture_output=True, text=True)

    assert done.stdout.count(str(site)) == 3


def test_doctor_and_draft_run_from_the_wheel(elsewhere: dict[str, str], tmp_path: Path):
    (tmp_path / "records.json").write_text(json.dumps(world.CONFLICTING_AMOUNTS), "utf-8")

    taken = run(elsewhere, tmp_path, "import", "records.json")
    drafted = run(elsewhere, tmp_path, "draft", "follow_up", "--deal", "D-1", "--as-of", world.TODAY)
    looked = run(elsewhere, tmp_path, "doctor")

    assert taken.returncode == 0, taken.stderr
    assert drafted.returncode == 0, drafted.stderr
    assert "Q-118" in drafted.stdout
    assert looked.returncode == 0, looked.stdout


def test_serve_runs_from_the_wheel(elsewhere: dict[str, str], tmp_path: Path):
    with (tmp_path / "serve.log").open("ab") as log:
        server = subprocess.Popen(
            [*RUN, "serve", "--port", "0"], env=elsewhere, cwd=tmp_path, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        link = re.search(r"http://\S+", server.stdout.readline())
        assert found
        assert link
        with patient_session() as session:
            ready = session.get(f"{found[0]}/readyz", timeout=20)
            page = session.get(link[0], timeout=20)
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()

    assert ready.status_code == 200
    assert page.status_code == 200
