"""The receiver process: listener to journal."""
