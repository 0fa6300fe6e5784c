"""What is changed about requests of the stateful phase (see .ci/run)."""

from itertools import count

import schemathesis

numbers = count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes a valid `Idempotency-Key` one that was not sent before.

    A creation that is sent twice with one key is done once, so the second time the answer may be about something that has been
    deleted since. The check that what was created is there would take that for a fault. The other phases send repeats.
    """
    key = (case.headers or {}).get("Idempotency-Key")
    if key and len(key) <= 240 and key.isascii() and key.isprintable():
        case.headers["Idempotency-Key"] = f"{key}-{next(numbers)}"
