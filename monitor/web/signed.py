"""The signature of a request that brings posts: HMAC-SHA256 over its body, sent within a window of time."""

import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from monitor.web.refused import refuse

SIGNATURE = "X-Signature-256"
TIMESTAMP = "X-Timestamp"

_EPOCH_SECONDS = re.compile(r"[0-9]{1,12}")


def check(
    headers: Mapping[str, str], raw: bytes, secret: bytes, *, now: datetime, window: timedelta, with_time: bool
) -> None:
    """Raises RefusedError (401) unless `headers` sign `raw`, the body as it came, with `secret`.

    `with_time` says that the signature covers `X-Timestamp`, a dot and the body.
    """
    stamp = headers.get(TIMESTAMP, "")
    signature = headers.get(SIGNATURE, "")
    if not signature:
        raise refuse(401, "signature_missing", f"sign the body and send {SIGNATURE}: sha256=<HMAC-SHA256, hexadecimal>")
    if not _EPOCH_SECONDS.fullmatch(stamp):
        raise refuse(401, "timestamp_missing", f"send {TIMESTAMP}: the time of sending in whole seconds since 1970")
    signed = stamp.encode() + b"." + raw if with_time else raw
    wanted = "sha256=" + hmac.new(secret, signed, sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), signature.strip().lower().encode("utf-8", "surrogateescape")):
        covered = f"{TIMESTAMP}, a dot and the body" if with_time else "the body as it is sent"
        raise refuse(401, "signature_wrong", f"{SIGNATURE} does not fit; it is an HMAC-SHA256 of {covered}")
    if abs(int(stamp) - now.timestamp()) > window.total_seconds():
        seconds = f"{window.total_seconds():g} s"
        raise refuse(401, "timestamp_stale", f"{TIMESTAMP} is more than {seconds} from our clock; check both clocks")
