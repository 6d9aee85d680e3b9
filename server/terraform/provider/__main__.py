"""``python -m server.terraform.provider``: the provider as terraform starts it by itself."""

import asyncio
import sys

from coder_cli.kit.environ import environ
from server.terraform.provider.process import COOKIE, COOKIE_NAME, serve


def main() -> None:
    """Shake hands with terraform and serve it until it is done."""
    env = environ()
    if env.get(COOKIE_NAME) != COOKIE:
        sys.exit("This is a Terraform provider; Terraform starts it. It does nothing by itself.")
    asyncio.run(serve(env))


if __name__ == "__main__":
    main()
