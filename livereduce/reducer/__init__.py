"""The reducer process: journal and scripts to results."""
