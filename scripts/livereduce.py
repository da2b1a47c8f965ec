#!/usr/bin/env python3
"""`python scripts/livereduce.py [CONF]`: the daemon, from a checkout."""

import sys
from pathlib import Path

# Run as a file, this folder is first on the path and this very file would be found as `livereduce`.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from livereduce.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
