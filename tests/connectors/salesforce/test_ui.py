"""The SFDX project: its files agree with the server; Apex is parsed and the component tested with npm's packages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest
from defusedxml.ElementTree import parse
from openapi_spec_validator import validate

from connectors.salesforce.external_service import registration
from connectors.salesforce.verify import ORGANIZATION, USER
from connectors.salesforce.writing import ABOUT_FIELD, KEY_FIELD, KEY_OBJECT, RECORD_FIELD
from crmplugin.domain.draft import Status
from crmplugin.settings import KINDS
from crmplugin.web.app import api_document
from tests.connectors.cards import NODE, installed

UI = Path(__file__).resolve().parents[3] / "connectors" / "salesforce" / "ui"
SOURCE = UI / "force-app" / "main" / "default"
METADATA = "{http://soap.sforce.com/2006/04/metadata}"


def test_every_metadata_file_is_xml_of_salesforce():
    files = sorted(SOURCE.rglob("*-meta.xml"))

    assert len(files) >= 22
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
    assert "callout:AI_Assistant'" in apex


OBJECTS = {"Opportunity", "Account", "Contact", "Lead", "Case"}


def test_button_is_on_every_object_that_apex_asks_about_and_the_page_shows_it_there():
    apex = (SOURCE / "classes" / "AiAssistant.cls").read_text("utf-8")
    actions = {file.name.partition(".")[0] for file in (SOURCE / "quickActions").iterdir()}
    meta = parse(SOURCE / "lwc" / "aiDealPanel" / "aiDealPanel.js-meta.xml").getroot()

    assert set(re.findall(r"'(\w+)' => '\w+_id'", apex)) == OBJECTS
    assert set(re.findall(r"when '(\w+)'", apex)) == OBJECTS - {"Case"}
    assert actions == OBJECTS
    assert {one.text for one in meta.iter(METADATA + "object")} == OBJECTS


def test_name_of_the_connection_stands_in_the_named_credential_alone():
    files = [file for file in SOURCE.rglob("*") if file.is_file() and "acme" in file.read_text("utf-8")]

    assert [file.name for file in files] == ["AI_Assistant.namedCredential-meta.xml"]


SERVICE = SOURCE / "externalServiceRegistrations" / "AI_Assistant.externalServiceRegistration-meta.xml"


def test_external_service_is_our_openapi_document_of_today():
    told = f"the API changed: crmplugin openapi | python -m connectors.salesforce.external_service > {SERVICE}"
    assert SERVICE.read_text("utf-8") == registration(api_document()), told


def test_external_service_holds_what_salesforce_reads_and_no_approval():
    root = parse(SERVICE).getroot()
    schema = json.loads(root.findtext(METADATA + "schema"))
    operations = [one for item in schema["paths"].values() for one in item.values() if isinstance(one, dict)]

    validate(schema)
    assert sorted(one["operationId"] for one in operations) == [
        "createDraft", "getDraft", "listDrafts", "rejectDraft", "stopDraft",
    ]  # fmt: skip
    assert {kind for one in operations for answer in one["responses"].values() for kind in answer["content"]} == {
        "application/json"
    }
    assert (SOURCE / "namedCredentials" / f"{root.findtext(METADATA + 'namedCredentialReference')}"
            ".namedCredential-meta.xml").exists()  # fmt: skip


def test_every_kind_that_can_be_chosen_is_one_of_ours_and_every_state_has_words():
    words = (SOURCE / "lwc" / "aiDealPanel" / "words.js").read_text("utf-8")
    chosen = re.findall(r"value: '(\w+)', label", words)
    states = re.search(r"STATES = \{(.*?)\};", words, re.DOTALL)[1]

    assert len(chosen) == 6
    assert set(chosen) <= set(KINDS)
    assert set(re.findall(r"^    (\w+):", states, re.MULTILINE)) == set(get_args(Status))


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
def test_component_keeps_salesforces_rules_for_components_and_a_breach_is_found(project):
    lint = ("node_modules/eslint/bin/eslint.js", "--no-warn-ignored", "--max-warnings", "0", "force-app")
    good = run(project, *lint)
    breach = project / "force-app/main/default/lwc/aiDealPanel/breach.js"
    breach.write_text("export const wait = () => { debugger; return eval('1'); };\n", "utf-8")
    bad = run(project, *lint)
    breach.unlink()

    assert good.returncode == 0, good.stdout
    assert bad.returncode == 1


@pytest.mark.long
def test_apex_is_parsed_and_a_mistake_is_found(project):
    good = run(project, "parse-apex.js")
    wrong = changed(project, "public class AiAssistant { void x( { }")
    bad = run(project, "parse-apex.js", wrong)

    assert (good.returncode, good.stdout.strip()) == (0, "2 classes parsed")
    assert bad.returncode == 1


UNSAFE = """public class AiAssistant {
    public static List<SObject> found(String name) {
        return Database.query('SELECT Id FROM Account WHERE Name = \\'' + name + '\\'');
    }
}
"""


@pytest.mark.long
def test_apex_keeps_salesforces_rules_and_an_injection_is_found(project):
    assert shutil.which("java"), "the linter for Apex is PMD: apt-get install default-jre-headless"
    good = run(project, "lint-apex.mjs")
    bad = run(project, "lint-apex.mjs", changed(project, UNSAFE))

    assert good.returncode == 0, good.stdout
    assert re.match(r"\d\d rules, 0 findings", good.stdout)
    assert bad.returncode == 1
    assert "ApexSOQLInjection" in bad.stdout


def changed(project: Path, text: str) -> str:
    """A folder with the classes, the first of them changed."""
    shutil.rmtree(project / "wrong", ignore_errors=True)
    shutil.copytree(project / "force-app/main/default/classes", project / "wrong")
    (project / "wrong" / "AiAssistant.cls").write_text(text, "utf-8")
    return "wrong"
