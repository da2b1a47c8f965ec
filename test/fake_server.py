"""Start the simulated histogram DAE in the size that the example configuration is made for; options are passed on."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from livereduce.simulators.isis_histogram import main

if __name__ == "__main__":
    sys.exit(main(["--periods", "5", "--spectra", "10", "--bins", "100", "--port", "56789", *sys.argv[1:]]))
