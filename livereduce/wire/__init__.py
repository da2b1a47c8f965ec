"""Bytes to messages and back, both directions, no IO."""
