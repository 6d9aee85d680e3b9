"""Every setting of the server: one typed place, and the server's only look at the environment."""

from server.settings.external_auth import ExternalAuthProvider
from server.settings.kinds import Address
from server.settings.option import Option
from server.settings.reading import (
    CONFIG_ENV,
    OPTIONS,
    Given,
    Settings,
    SettingsError,
    Source,
    load,
)
from server.settings.sealing import read_keys
from server.settings.show import deployment_config, describe, write_yaml

__all__ = [
    "CONFIG_ENV",
    "OPTIONS",
    "Address",
    "ExternalAuthProvider",
    "Given",
    "Option",
    "Settings",
    "SettingsError",
    "Source",
    "deployment_config",
    "describe",
    "load",
    "read_keys",
    "write_yaml",
]
