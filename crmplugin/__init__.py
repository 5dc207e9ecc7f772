"""crmplugin: a sales assistant server. Imports nothing, so that connectors can import a room without the rest."""

__version__ = "0.1.0"
