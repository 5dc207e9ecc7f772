"""Which CRMs there are: the module that speaks with each, and the settings its connection takes. One line a CRM."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crmplugin.ports import Connector, Records, Services

COMMON_KEYS = ("base_url", "auth_url", "timeout_s", "calls_per_second", "calls_at_once", "poll_minutes")
"""Keys every connection may have: hosts to call instead of the vendor's, and how gently."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A CRM: `module` has the class `entry`; `required` keys are texts, `types` names those that are not.

    `usual`: keys that a new connection has beside the required ones.
    """

    module: str
    entry: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    types: Mapping[str, type] = field(default_factory=dict)
    usual: tuple[str, ...] = ()

    def type_of(self, key: str) -> type:
        """The type of a key's value, text unless the row says otherwise."""
        return self.types.get(key, _COMMON_TYPES.get(key, str))


_COMMON_TYPES: Mapping[str, type] = MappingProxyType(
    {"timeout_s": int, "calls_per_second": int, "calls_at_once": int, "poll_minutes": int}
)

VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        "local": Vendor("connectors.local.connector", "LocalConnector", required=("webhook_secret",)),
        "hubspot": Vendor(
            "connectors.hubspot.connector",
            "HubSpotConnector",
            required=("client_secret",),
            optional=(
                "access_token",
                "client_id",
                "refresh_token",
                "old_client_secret",
                "portal_id",
                "app_id",
                "app_url",
                "signature_versions",
                "fields",
                "stages",
                "write_back",
                "key_property",
                "leave_out",
                "earlier_lines",
                "currency",
                "campaign_template",
                "subscription_id",
                "mail_subscription_id",
            ),
            types={
                "fields": dict,
                "stages": dict,
                "write_back": dict,
                "signature_versions": list,
                "leave_out": list,
                "earlier_lines": bool,
            },
            usual=("access_token", "portal_id"),
        ),
        "pipedrive": Vendor(
            "connectors.pipedrive.connector",
            "PipedriveConnector",
            required=("api_token", "webhook_user", "webhook_password"),
            optional=(
                "old_webhook_password",
                "webhook_path",
                "company_id",
                "user_id",
                "panel_secret",
                "old_panel_secret",
                "fields",
                "stages",
                "write_back",
                "opt_out_field",
                "earlier_lines",
                "mails",
                "stage_history",
                "leave_out",
                "webhook_url",
                "client_id",
                "client_secret",
            ),
            types={
                "fields": dict,
                "stages": dict,
                "write_back": dict,
                "leave_out": list,
                "earlier_lines": bool,
                "mails": bool,
                "stage_history": bool,
            },
            usual=("company_id", "panel_secret"),
        ),
        "odoo": Vendor(
            "connectors.odoo.connector",
            "OdooConnector",
            required=("base_url", "database", "api_key", "webhook_secret"),
            optional=(
                "old_api_key",
                "api_key_ends",
                "login",
                "protocol",
                "old_webhook_secret",
                "panel_secret",
                "old_panel_secret",
                "user_id",
                "company_ids",
                "fields",
                "stages",
                "write_back",
            ),
            types={"fields": dict, "stages": dict, "write_back": dict, "company_ids": list},
            usual=("panel_secret",),
        ),
        "salesforce": Vendor(
            "connectors.salesforce.connector",
            "SalesforceConnector",
            required=("base_url", "client_id", "organization_id", "webhook_token"),
            optional=(
                "client_secret",
                "private_key",
                "username",
                "audience",
                "api_version",
                "old_webhook_token",
                "callout_secret",
                "old_callout_secret",
                "panel_secret",
                "old_panel_secret",
                "canvas_secret",
                "old_canvas_secret",
                "user_id",
                "messages",
                "fields",
                "stages",
                "write_back",
                "currency",
                "leave_out",
                "page_size",
            ),
            types={
                "fields": dict,
                "stages": dict,
                "write_back": dict,
                "messages": dict,
                "leave_out": list,
                "page_size": int,
            },
            usual=("client_secret", "user_id", "panel_secret"),
        ),
    }
)


_IMPORTING = threading.Lock()


def open_connector(connection: Any, *, records: Records, services: Services) -> Connector:
    """The connector of a connection (its `name`, `crm` and `options`).

    Imports the CRM's module only now, so that one CRM's libraries load alone. Each class is made with the connection's
    name, options and services; the local CRM, whose data are ours, is handed the records in their place.
    """
    vendor = VENDORS[connection.crm]
    # Two threads that import one library by different doors can find it half made.
    with _IMPORTING:
        entry = getattr(import_module(vendor.module), vendor.entry)
    if connection.crm == "local":
        local: Connector = entry(connection.name, connection.options, records=records)
        return local
    opened: Connector = entry(connection.name, connection.options, services)
    return opened
