"""Tags mentions: an original against its event's proposition, an answer against its parent and its thread's first post.

Posts equal in all of that, and in the kind of registered voice that says it, are tagged once per batch, since viral
posts are mostly copies. A bare repost (no text of its own, or the text of what it reposts) is read as the post it
reposts, that is against the proposition.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import polars as pl
import xxhash

from classifiers.artifact import ArtifactError, load
from classifiers.explain import explain, sentence
from classifiers.languages import Languages, load_languages
from classifiers.reading import Watched
from classifiers.tagger import Tagger
from classifiers.text import fold
from monitor.errors import SettingsError
from monitor.frames import TAG, TAGGED, TAGS, Tag
from monitor.marks import Correction
from monitor.watched import Event

__all__ = ["Kinds", "Said", "TagStage", "kinds_of", "load_tagger", "said_of"]

Kinds = Mapping[tuple[str, str], str]
"""Event and name of a registered voice → its kind."""
Said = Mapping[str, tuple[str, str]]
"""Event → its names, and its proposition with its wordings, each in one text."""

_SILENT: Final = ("delete", "counts")
_QUOTED: Final = (Tag.CLAIM, Tag.DENIAL, Tag.CELEBRATION)
_SURE: Final = 0.6
"""The tags and the probability from which on a card may show a post, and so its cues are quoted."""
_READ: Final = ("read", "against", "root", "answer")
_PAIR: Final = (*_READ, "kind", "about")
_EVERYTHING: Final = "*"


def load_tagger(path: Path) -> Tagger:
    """The tagger in an artifact; raises SettingsError that says what is wrong with the file."""
    try:
        return load(path)
    except ArtifactError as error:
        raise SettingsError([str(error)]) from error


def kinds_of(events: Iterable[Event]) -> Kinds:
    """The kinds of the events' voices."""
    return {(event.name, voice.name): voice.kind.value for event in events for voice in event.voices}


def said_of(events: Iterable[Event]) -> Said:
    """What the events are named and what is asserted of them; names are the words of terms, people and places."""
    told = {}
    for event in events:
        known = [*event.people.items(), *event.places.items()]
        names = [*event.any, *event.all, *(word for name, others in known for word in (name, *others))]
        asserted = (event.proposition, *event.wordings)
        told[event.name] = (" | ".join(name for name in names if name != _EVERYTHING), " | ".join(asserted))
    return told


class TagStage:
    """MENTIONS → TAGGED; `propositions` maps an event's name to its proposition."""

    def __init__(
        self,
        tagger: Tagger,
        propositions: Mapping[str, str],
        languages: Languages | None = None,
        *,
        kinds: Kinds | None = None,
        said: Said | None = None,
    ) -> None:
        """`languages` says what posts are written in; without it the model that ships does. `kinds` are of voices."""
        self._tagger = tagger
        self._languages = languages or load_languages()
        self._corrections: dict[tuple[str, str], str] = {}
        self.watch(propositions, kinds, said)

    def watch(self, propositions: Mapping[str, str], kinds: Kinds | None = None, said: Said | None = None) -> None:
        """Exchanges the propositions, the kinds of voices and what the events are named."""
        told = [(event, *each) for event, each in (said or {}).items()]
        self._said = pl.DataFrame(told, schema=dict.fromkeys(("about", *Watched._fields), pl.String), orient="row")
        voices = [(*voice, kind) for voice, kind in (kinds or {}).items()]
        self._kinds = pl.DataFrame(voices, schema=dict.fromkeys(("event", "voice", "kind"), pl.String), orient="row")
        self._propositions = pl.DataFrame(
            {"event": list(propositions), "proposition": list(propositions.values())},
            schema={"event": pl.String, "proposition": pl.String},
        )

    def correct(self, corrections: Iterable[Correction]) -> None:
        """Takes editors' corrections: from here on they decide what the same text under the same parent is tagged."""
        self._corrections |= {(one.event, one.reads): one.tag for one in corrections}

    def reads(self, mentions: pl.DataFrame) -> pl.Series:
        """What is read of each mention (MENTIONS), as the hash by which a correction knows it again."""
        pairs = self._pairs(mentions)
        folded = zip(fold(pairs["read"].fill_null("")), fold(pairs["against"]), strict=True)
        return pl.Series(
            [xxhash.xxh3_64_hexdigest(f"{read}\0{against}".encode()) for read, against in folded], dtype=pl.String
        )

    def tag(self, mentions: pl.DataFrame) -> pl.DataFrame:
        """Adds what is read; deletions and counts say nothing and are `other` with certainty, of no language."""
        pairs = self._pairs(mentions)
        distinct = pairs.unique(maintain_order=True).filter(pl.col("read").is_not_null())
        origin = self._languages.origin(distinct["read"], distinct["kind"])
        told = self._tagger.read(*distinct.select(_READ).get_columns(), origin=origin, watched=self._watched(distinct))
        known = distinct.with_columns(
            self._tagger.decide(told.probabilities, distinct["answer"]).cast(TAG).alias("tag"),
            *(pl.Series(f"p_{tag.value}", told.probabilities[:, place]) for place, tag in enumerate(TAGS)),
            origin.languages.alias("language"),
            pl.Series("attributed", told.attributed, dtype=pl.Boolean),
        )
        tagged = pairs.join(known, on=list(_PAIR), how="left", nulls_equal=True, maintain_order="left").select(
            pl.col("tag").fill_null(Tag.OTHER.value),
            *(pl.col(f"p_{tag.value}").fill_null(1.0 if tag is Tag.OTHER else 0.0) for tag in TAGS),
            "language",
            pl.col("attributed").fill_null(value=False),
            pl.lit(None, pl.String).alias("cues"),
        )
        return self._quoted(self._corrected(mentions.hstack(tagged).select(TAGGED.keys())), pairs["read"])

    def _quoted(self, tagged: pl.DataFrame, read: pl.Series) -> pl.DataFrame:
        """With the cues of the posts that a card may show."""
        likely = pl.max_horizontal(*(f"p_{tag.value}" for tag in _QUOTED)) >= _SURE
        shown = (pl.col("op") == "create") & pl.col("tag").cast(pl.String).is_in([*_QUOTED]) & likely
        which = tagged.select(shown.fill_null(value=False).arg_true()).to_series()
        if which.is_empty():
            return tagged
        asked = pl.DataFrame({"read": read[which], "tag": tagged["tag"][which].cast(pl.String)})
        distinct = asked.unique(maintain_order=True)
        quoted = self._tagger.quotes(distinct["read"], [Tag(tag) for tag in distinct["tag"]])
        told = asked.join(distinct.with_columns(quoted), on=["read", "tag"], how="left", maintain_order="left")
        return tagged.with_columns(tagged["cues"].scatter(which, told["cues"]))

    def _corrected(self, tagged: pl.DataFrame) -> pl.DataFrame:
        """A corrected text is what the editor says, with certainty."""
        if not self._corrections or tagged.is_empty():
            return tagged
        reads = zip(tagged["event"].to_list(), self.reads(tagged).to_list(), strict=True)
        said = pl.Series("said", [self._corrections.get(pair) for pair in reads], TAG)
        if said.null_count() == len(said):
            return tagged
        return (
            tagged.with_columns(said)
            .with_columns(
                pl.coalesce("said", "tag").alias("tag"),
                *(
                    pl.when(pl.col("said").is_not_null())
                    .then((pl.col("said") == tag.value).cast(pl.Float64))
                    .otherwise(f"p_{tag.value}")
                    .alias(f"p_{tag.value}")
                    for tag in TAGS
                ),
            )
            .select(TAGGED.keys())
        )

    def why(self, mentions: pl.DataFrame) -> pl.DataFrame:
        """Per mention its `language`, and in one line `why`: which words and what it answers pulled it to its tag.

        Slow – a reading per word – and for who asks.
        """
        pairs = self._pairs(mentions).with_columns(pl.col("read").fill_null(""))
        origin = self._languages.origin(pairs["read"], pairs["kind"])
        told = explain(self._tagger, *pairs.select(_READ).get_columns(), origin=origin, watched=self._watched(pairs))
        return pl.DataFrame([origin.languages, pl.Series("why", [sentence(each) for each in told], dtype=pl.String)])

    def _watched(self, pairs: pl.DataFrame) -> Watched:
        told = pairs.select("about").join(self._said, on="about", how="left", maintain_order="left")
        return Watched(told["names"], told["wordings"])

    def _pairs(self, mentions: pl.DataFrame) -> pl.DataFrame:
        known = mentions.join(self._propositions, on="event", how="left", maintain_order="left")
        if self._kinds.is_empty():
            known = known.with_columns(pl.lit(None, pl.String).alias("kind"))
        else:
            known = known.join(self._kinds, on=["event", "voice"], how="left", maintain_order="left")
        return known.select(
            _read().alias("read"),
            _against().alias("against"),
            _root().alias("root"),
            _answer().alias("answer"),
            "kind",
            pl.when(~_answer()).then("event").alias("about"),
        )


def _bare() -> pl.Expr:
    """Whether a post repeats what it reposts and says nothing itself."""
    text = pl.col("text").fill_null("")
    return pl.col("repost_of").is_not_null() & ((text == "") | (text == pl.col("parent_text").fill_null("")))


def _read() -> pl.Expr:
    """What is read; null for a deletion or counts."""
    text = pl.when(_bare()).then(pl.coalesce("parent_text", "text")).otherwise("text").fill_null("")
    return pl.when(~pl.col("op").cast(pl.String).is_in(_SILENT)).then(text)


def _against() -> pl.Expr:
    """What it is read against: its parent, or the proposition."""
    proposition = pl.col("proposition").fill_null("")
    return pl.when(_bare()).then(proposition).otherwise(pl.coalesce("parent_text", proposition))


def _root() -> pl.Expr:
    """What began the thread of an answer; "" where that is unknown."""
    return pl.when(_answer()).then("root_text").fill_null("")


def _answer() -> pl.Expr:
    """Whether a post answers, quotes or comments another one."""
    refers = pl.any_horizontal(pl.col("reply_to", "quote_of", "parent_text").is_not_null())
    return ~_bare() & (refers | pl.col("repost_of").is_not_null())
