"""The SFDX project: its files agree with the server; Apex is parsed and the component tested with npm's packages."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from defusedxml.ElementTree import parse

from connectors.salesforce.verify import ORGANIZATION, USER
from connectors.salesforce.writing import ABOUT_FIELD, KEY_FIELD, KEY_OBJECT, RECORD_FIELD
from crmplugin.settings import KINDS
from tests.connectors.cards import NODE, installed

UI = Path(__file__).resolve().parents[3] / "connectors" / "salesforce" / "ui"
SOURCE = UI / "force-app" / "main" / "default"
METADATA = "{http://soap.sforce.com/2006/04/metadata}"


def test_every_metadata_file_is_xml_of_salesforce():
    files = sorted(SOURCE.rglob("*-meta.xml"))

    assert len(files) >= 13
    assert [file.name for file in files if not parse(file).getroot().tag.startswith(METADATA)] == []


def test_row_that_keeps_the_key_is_unique_and_has_the_fields_that_are_written():
    fields = SOURCE / "objects" / KEY_OBJECT / "fields"

    key = parse(fields / f"{KEY_FIELD}.field-meta.xml").getroot()
    assert (key.findtext(METADATA + "unique"), key.findtext(METADATA + "externalId")) == ("true", "true")
    for name in (ABOUT_FIELD, RECORD_FIELD, "Subject__c", "Body__c"):
        assert (fields / f"{name}.field-meta.xml").exists()


def test_apex_says_who_asks_and_keeps_to_the_rights_of_the_user():
    apex = (SOURCE / "classes" / "AiAssistant.cls").read_text("utf-8")

    assert f"'{USER}'" in apex
    assert f"'{ORGANIZATION}'" in apex
    assert "with sharing" in apex
    assert "WITH USER_MODE" in apex
    assert "callout:AI_Assistant/" in apex


def test_every_kind_that_can_be_chosen_is_one_of_ours():
    component = (SOURCE / "lwc" / "aiDealPanel" / "aiDealPanel.js").read_text("utf-8")
    chosen = re.findall(r"value: '(\w+)', label", component)

    assert len(chosen) == 6
    assert set(chosen) <= set(KINDS)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the vendor's packages, installed by its lock file."""
    return installed(UI, tmp_path_factory.mktemp("sfdx"))


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [NODE, *command], cwd=project, capture_output=True, text=True, timeout=300, check=False
    )  # fmt: skip


@pytest.mark.long
def test_component_passes_its_jest_tests(project):
    done = run(project, "node_modules/@salesforce/sfdx-lwc-jest/bin/sfdx-lwc-jest", "--skipApiVersionCheck")

    assert done.returncode == 0, done.stderr[-4000:]


@pytest.mark.long
def test_apex_is_parsed_and_a_mistake_is_found(project):
    good = run(project, "parse-apex.js")
    wrong = project / "wrong"
    shutil.copytree(project / "force-app/main/default/classes", wrong)
    (wrong / "AiAssistant.cls").write_text("public class AiAssistant { void x( { }", "utf-8")
    bad = run(project, "parse-apex.js", "wrong")

    assert (good.returncode, good.stdout.strip()) == (0, "2 classes parsed")
    assert bad.returncode == 1
