"""What an operator may set of X."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from monitor.collect.about import About
from monitor.collect.http_settings import Address, HttpSource
from monitor.watched import Duration, Name


class Vocabulary(StrEnum):
    """The words in which X is asked."""

    TWEET = "tweet"
    POST = "post"


class XSource(HttpSource, tag="x", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Reads X through its filtered stream, by rules made of the event files; every post costs money."""

    ABOUT: ClassVar[About] = About(
        reads="posts that the events' terms match, from the filtered stream",
        access="the bearer token of an app with credit; the app's rules whose tag begins with event: are the monitor's",
        limits="the budget in dollars, beyond which the source stops until it is reloaded in the next cycle; "
        "50 connections, 450 searches and 100 changes of rules in 15 minutes; 3 million posts a cycle",
        resumes="the recent search, seven days back and ten pages of a hundred posts a question; beyond is a "
        "gap; 30 seconds are read twice, which X does not charge twice on one day",
        edits="an edit comes as a post of its own, and updates the one that it was; deletions are seen only where hot "
        "posts are read again, which costs (refresh)",
        cannot="deletions, likes and reposts after a post came, unless hot posts are read again; followers and age of "
        "authors unless they are paid for",
        reposts="by repost posts where reposts = true buys them; otherwise in no count",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    token_env: str | None = None
    """Environment variable with the app's bearer token; the app's rules belong to this monitor alone."""
    token_file: str | None = None
    """File with that token, as an alternative to `token_env`."""
    budget: Annotated[float, Meta(gt=0, le=1_000_000)]
    """Dollars that a monthly cycle may cost; when they are spent the source stops."""
    cycle_day: Annotated[int, Meta(ge=1, le=28)] = 1
    """Day of the month, in UTC, on which a cycle begins."""
    post_price: Annotated[float, Meta(ge=0, le=100)] = 0.005
    """Dollars for a post that is read,"""
    user_price: Annotated[float, Meta(ge=0, le=100)] = 0.01
    """… and for an author that comes with it."""
    most_posts: Annotated[int, Meta(ge=1)] = 3_000_000
    """Posts that X lets an app read in a cycle."""
    authors: bool = False
    """Asks for the followers and the age of authors too, which costs `user_price` each."""
    reposts: bool = False
    """Takes bare reposts too, each for `post_price`; without them reposts are in no count."""
    search_pages: Annotated[int, Meta(ge=0, le=1000)] = 10
    """Pages of a hundred posts per question that are bought to fill a gap; beyond them it stays one."""
    look_back: Duration = Duration(hours=1)
    """How much of the past is bought for an event that is added while the source runs, within `search_pages`."""
    refresh: Annotated[int, Meta(ge=0, le=60)] = 0
    """Requests in a minute by which hot posts are read again, 100 in each, and each for `post_price`; 0: none."""
    refresh_again: Duration = Duration(minutes=10)
    """How long a post is left alone between two reads."""
    silence: Duration = Duration(seconds=30)
    """A stream that says nothing for so long is made anew; it gives a sign of life every 20 seconds."""
    vocabulary: Vocabulary = Vocabulary.TWEET
    """`post` asks in X's newer words, where the older ones are not understood any more; both are read."""
    api: Address = "https://api.x.com"
    """Where its interface is."""

    def fields(self) -> tuple[tuple[str, str], ...]:
        """What is asked for of every post."""
        old = self.vocabulary is Vocabulary.TWEET
        words = ["author_id", "conversation_id", "created_at", "lang", "public_metrics"]
        if old:
            words += ["edit_history_tweet_ids", "referenced_tweets", "note_tweet"]
        else:
            words += ["note_post"]
        asked = [("tweet.fields" if old else "post.fields", ",".join(words))]
        expansions = [] if old else ["edit_history_post_ids", "referenced_posts"]
        if self.authors:
            expansions.append("author_id")
            asked.append(("user.fields", "created_at,public_metrics,verified"))
        if expansions:
            asked.append(("expansions", ",".join(expansions)))
        return tuple(asked)

    @property
    def more(self) -> str:
        """What is added to every rule and query."""
        return "" if self.reposts else "-is:retweet"


KEPT = timedelta(days=7)
"""How long X's recent search can look back."""
