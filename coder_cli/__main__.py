"""``coder`` and ``python -m coder_cli``."""

import sys

from coder_cli.main import run


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
