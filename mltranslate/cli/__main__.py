"""`python -m mltranslate.cli`: the command line without the terminal app."""

import sys

from mltranslate.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
