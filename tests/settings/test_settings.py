"""Settings: a wrong one stops the start with a sentence that names file, line, key and mend."""

from __future__ import annotations

import stat
from decimal import Decimal

import pytest

from crmplugin.domain.spending import SpendingLimit
from crmplugin.errors import SettingsError
from crmplugin.settings import Settings, load_settings


@pytest.fixture
def load(tmp_path):
    def _load(toml: str = "", **environ: str) -> Settings:
        file = tmp_path / "crmplugin.toml"
        file.write_text(toml, "utf-8")
        return load_settings({"CRMPLUGIN_CONFIG": str(file), "CRMPLUGIN_VAR": str(tmp_path / "var"), **environ})

    return _load


def test_no_file_and_no_variables_give_the_embedded_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    settings = load_settings({})

    assert settings.database_url == "sqlite:///var/crmplugin.sqlite"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert list(settings.connections) == ["local"]
    assert settings.model.name is None
    assert settings.model.masking is True


def test_empty_config_variable_means_no_file_even_if_one_lies_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crmplugin.toml").write_text("port = 1\n")

    assert load_settings({"CRMPLUGIN_CONFIG": ""}).port == 8000
    assert load_settings({}).port == 1


def test_variable_wins_over_file(load):
    assert load("port = 9000\n", CRMPLUGIN_PORT="9001").port == 9001


def test_openai_variables_and_model_name(load):
    settings = load(OPENAI_API_KEY="k", OPENAI_BASE_URL="https://models.example/v1", CRMPLUGIN_MODEL="gpt-x")

    assert (settings.model.api_key, settings.model.base_url) == ("k", "https://models.example/v1")
    assert settings.model.name == "gpt-x"


def test_made_secrets_are_private_and_stay(load, tmp_path):
    first = load()
    second = load()

    file = tmp_path / "var" / "local-webhook.secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.connections["local"].options["webhook_secret"] == file.read_text().strip()
    assert second.connections["local"].options == first.connections["local"].options
    assert second.signing_key == first.signing_key


def test_local_secret_from_file_env_or_variable(load, tmp_path):
    (tmp_path / "s.txt").write_text("from-file\n")
    table = "[connections.local]\nwebhook_secret = "

    assert load(table + '"plain"\n').connections["local"].options["webhook_secret"] == "plain"
    assert load(table + '"env:S"\n', S="from-env").connections["local"].options["webhook_secret"] == "from-env"
    assert load(table + '"file:s.txt"\n').connections["local"].options["webhook_secret"] == "from-file"
    variable = {"CRMPLUGIN_CONNECTIONS__LOCAL__WEBHOOK_SECRET": "from-variable"}
    assert load(**variable).connections["local"].options["webhook_secret"] == "from-variable"


def test_secrets_do_not_show_in_repr(load):
    settings = load('[connections.local]\nwebhook_secret = "hush-hush"\n', OPENAI_API_KEY="sk-hush")

    assert "hush" not in repr(settings)
    assert settings.signing_key not in repr(settings)


BAD = {
    "unknown key": ("port = 1\nprot = 2\n", "crmplugin.toml line 2: prot is no setting (did you mean port?)"),
    "not TOML": ("port = = 1\n", "is not TOML: Invalid value (at line 1, column 8)"),
    "text for a number": ('\n\nport = "many"\n', 'line 3: port is "many": expected a whole number'),
    "port out of range": ("port = 70000\n", "line 1: port is 70000: expected 0 to 65535"),
    "zero workers": ("workers = 0\n", "line 1: workers is 0: expected more than 0"),
    "public_url without scheme": ('public_url = "sales.example.com"\n', "expected a web address"),
    "unknown log level": ('log_level = "loud"\n', "expected one of debug, info, warning, error"),
    "unknown CRM": ('[connections.acme]\ncrm = "hubspto"\n', 'line 2: connections.acme.crm is "hubspto"'),
    "no CRM": ("[connections.acme]\n", "line 1: connections.acme.crm is missing"),
    "bad connection name": ('[connections."A b"]\ncrm = "local"\n', "is no good name"),
    "local key twice": (
        '[connections.second]\ncrm = "local"\n',
        'the connection "local" is the local CRM, and only it',
    ),
    "unknown connection key": ('[connections.local]\ncolor = "red"\n', "line 2: connections.local.color is no setting"),
    "env not set": ('[connections.local]\nwebhook_secret = "env:NOPE"\n', "environment variable NOPE is not set"),
    "file missing": ('[connections.local]\nwebhook_secret = "file:nope"\n', "cannot be read"),
    "frame with a directive": ('[connections.local]\nframe_ancestors = ["x; script-src *"]\n', "expected an origin"),
    "unknown event": (
        '[[playbook]]\nwhen = "deal.exploded"\ndraft = []\n',
        'line 2: playbook.0.when is "deal.exploded"',
    ),
    "second row named": (
        '[[playbook]]\nwhen = "deal.won"\ndraft = []\n[[playbook]]\nwhen = "deal.won"\ndraft = ["poem"]\n',
        'line 6: playbook.1.draft is "poem"',
    ),
    "customer text at once": (
        '[[playbook]]\nwhen = "deal.won"\ndraft = ["pitch"]\nwrite_back = "at_once"\n',
        "line 4: playbook.0.write_back is at_once, but pitch is for customers",
    ),
    "unknown where": ('[[playbook]]\nwhen = "deal.won"\ndraft = []\nwhere = { moon = "full" }\n', "moon is no setting"),
    "no draft": ('[[playbook]]\nwhen = "deal.won"\n', "has no draft"),
    "budget without prices": ("model_budget_per_day = 5\n", "needs model_input_price"),
}


@pytest.mark.parametrize(("toml", "message"), BAD.values(), ids=BAD)
def test_wrong_setting_stops_the_start_and_names_its_line(load, toml, message):
    with pytest.raises(SettingsError) as caught:
        load(toml)

    assert message in str(caught.value)
    assert "crmplugin.toml" in str(caught.value)


def test_misspelled_variable_is_refused(load):
    with pytest.raises(SettingsError, match="CRMPLUGIN_PROT is no setting .did you mean CRMPLUGIN_PORT"):
        load(CRMPLUGIN_PROT="1")


def test_missing_named_file_is_refused():
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({"CRMPLUGIN_CONFIG": "/nowhere/x.toml"})


def test_masking_off_is_for_a_model_on_this_machine_only(load):
    local = load(CRMPLUGIN_MASKING="false", CRMPLUGIN_MODEL="m", OPENAI_BASE_URL="http://127.0.0.1:9/v1")

    assert local.model.masking is False
    with pytest.raises(SettingsError, match="CRMPLUGIN_MASKING is false, but the model is not on this machine"):
        load(CRMPLUGIN_MASKING="false", CRMPLUGIN_MODEL="m")


def test_own_playbook_row_is_read(load):
    settings = load(
        '[[playbook]]\nwhen = "deal.stage_changed"\nwhere = { stage_kind = ["proposal"], stage = "Sent" }\n'
        'draft = ["follow_up"]\nchannel = "phone"\nwrite_back = "never"\n'
    )

    row = settings.playbooks[0]
    assert row.where == {"stage_kind": ("proposal",), "stage": ("Sent",)}
    assert (row.draft, row.channel, row.write_back) == (("follow_up",), "phone", "never")


def test_prices_and_budgets_are_exact_decimals(load):
    settings = load("model_input_price = 0.15\nmodel_output_price = 0.60\nmodel_budget_per_day = 2.5\n")

    assert settings.model.input_price == Decimal("0.15")
    assert settings.spending == (SpendingLimit(cost=Decimal("2.5")),)
