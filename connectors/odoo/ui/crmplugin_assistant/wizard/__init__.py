"""The window in which a draft is asked for, read and decided."""

from . import draft_wizard, mail_compose_message
