"""`edgewise locate ADDRESS --geo FILE`: where a database says that an address is."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from ipaddress import ip_address

import msgspec

from edgewise.commands.arguments import add_geo_option
from edgewise.enrich.geo_lookup import GeoLookup
from edgewise.errors import InputError
from edgewise.locales import DEFAULT_LOCALE, parse_locale
from edgewise.translation import translated


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("address", help="of the internet protocol, such as 81.2.69.142")
    add_geo_option(parser, required=True)
    parser.add_argument(
        "--locale", default=DEFAULT_LOCALE, help="language of country and city (%(default)s)"
    )
    parser.set_defaults(command=locate)


def locate(options: Namespace) -> int:
    """Print the location as JSON; return the exit status, 1 where nothing is known.

    Errors: InputError.
    """
    locale = parse_locale(options.locale)
    try:
        address = ip_address(options.address)
    except ValueError as error:
        raise InputError(str(error)) from error
    found = GeoLookup(options.geo).find(address)
    if found is None:
        print("{}")
        return 1
    location = translated(found.location, found.city_names, locale)
    print(msgspec.json.format(msgspec.json.encode(location)).decode())
    return 0
