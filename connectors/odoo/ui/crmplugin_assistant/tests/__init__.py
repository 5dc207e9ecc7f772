"""Tests that run in Odoo: --test-tags /crmplugin_assistant."""

from . import test_assistant
