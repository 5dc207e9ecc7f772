"""The deal assistant in Odoo: a button, a wizard, the settings, and calls that the server signs."""

from . import models, wizard
