"""Client of the assistant, the button of deals and contacts, the settings."""

from . import assistant_client, crm_lead, res_config_settings, res_partner
