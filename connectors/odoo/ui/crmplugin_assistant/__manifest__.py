{
    "name": "Deal assistant",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "summary": "Follow-ups, pitches and notes out of the history of a deal, checked before a person approves them",
    "author": "crmplugin",
    "license": "LGPL-3",
    "depends": ["crm", "mail", "base_automation"],
    "data": [
        "security/ir.model.access.csv",
        "views/draft_wizard_views.xml",
        "views/crm_lead_views.xml",
        "views/res_partner_views.xml",
        "views/res_config_settings_views.xml",
    ],
    "assets": {"web.assets_backend": ["crmplugin_assistant/static/src/*"]},
    "installable": True,
    "application": False,
}
