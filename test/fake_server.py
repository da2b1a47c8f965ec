"""Start a simulated DAE in the size that the example configurations are made for, the histogram DAE unless ``event`` comes first.

Further options are passed on.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from livereduce.simulators import isis_event, isis_histogram

if __name__ == "__main__":
    if sys.argv[1:2] == ["event"]:
        sys.exit(isis_event.main(["--events", "1000000", "--port", "59876", *sys.argv[2:]]))
    sys.exit(isis_histogram.main(["--periods", "5", "--spectra", "10", "--bins", "100", "--port", "56789", *sys.argv[1:]]))
