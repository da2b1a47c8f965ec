"""The process that systemd knows: starts, watches and replaces the others."""
