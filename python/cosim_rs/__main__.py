"""The command line, as `python -m cosim_rs`."""

import sys

from cosim_rs.cli import main

if __name__ == "__main__":
    sys.exit(main())
