"""``python -m cbai_notebook`` is the command ``cbai-notebook``."""

import sys

from cbai_notebook.cli import main

if __name__ == "__main__":
    sys.exit(main())
