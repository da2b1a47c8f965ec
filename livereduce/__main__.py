"""`python -m livereduce`."""

import sys

from livereduce.cli import main

if __name__ == "__main__":
    sys.exit(main())
