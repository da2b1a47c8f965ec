"""Fake data-acquisition systems, written with livereduce.wire."""
