"""Settings: one TOML file, environment variables over it, checked whole before anything starts."""
