"""Has half of what Schemathesis makes up name what there is, so that requests get
beyond "no such task"; the other half stays as it is."""

import re

import schemathesis

KNOWN = {"name": "shop", "task": "shop", "password": "s3cret-word", "from": "now"}


def fits(key, value):
    # What does not is made so, to see that it is refused.
    if key not in KNOWN or not isinstance(value, str):
        return False
    if key == "name":
        return re.fullmatch("[A-Za-z0-9._-]{1,64}", value) is not None
    return key != "password" or 8 <= len(value) <= 128


def known(values):
    # Without a random source of our own, so that a seed repeats a run.
    if not isinstance(values, dict) or len(repr(values)) % 2 == 0:
        return values
    return {key: KNOWN[key] if fits(key, value) else value for key, value in values.items()}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return known(path_parameters)


@schemathesis.hook
def map_body(context, body):
    return known(body)


@schemathesis.hook
def map_query(context, query):
    # A stream that goes on would be waited for until it is given up. What is wrong stays so.
    if context.operation.path.endswith("/changes/stream") and (query is None or isinstance(query, dict)):
        if (query or {}).get("follow", True) in (True, False, "true", "false"):
            return {**(query or {}), "follow": "false"}
    return query
