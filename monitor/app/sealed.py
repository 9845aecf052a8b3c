"""The hash of what a source sent, beside each post: whoever has the same document can show that it is the same."""

from collections.abc import Sequence
from hashlib import sha256

import polars as pl

from monitor.collect.parsed import Parsed


def sealed(parsed: Parsed, bodies: Sequence[bytes]) -> pl.DataFrame:
    """POSTS of these payloads with `payload_sha256`: of each post's own document, or of the payload that it is."""
    if parsed.documents:
        made = [sha256(document).hexdigest() for document in parsed.documents]
    else:
        whole = {place: sha256(bodies[place]).hexdigest() for place in parsed.payload.unique().to_list()}
        made = [whole[place] for place in parsed.payload.to_list()]
    return parsed.posts.with_columns(pl.Series("payload_sha256", made, pl.String))
