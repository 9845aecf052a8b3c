"""`monitor corrections`: what editors corrected, with the texts, for the next training of the tagger."""

import argparse
from pathlib import Path

import msgspec

from monitor.cli import options
from monitor.cli.outputs import writing
from monitor.settings import load_store
from monitor.store.reader import Reader

NAME = "corrections"
HELP = "writes editors' corrections of tags, for the next training of the tagger"
EPILOG = """
One JSON object per line: platform, id, event, text, parent, tag; the last correction of a post counts. Reads the store
beside the running daemon. A post whose author deleted it is left out. The file holds texts of people: keep it out of
any repository, and remove it after training.

exit status:
  0  done
  1  the store cannot be read, or the file not be written; one line says what to do
  2  the configuration is wrong

examples:
  monitor corrections corrections.ndjson
  make train DATA=../data ARGS="--corrections corrections.ndjson"
"""
MOST = 1_000_000


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    parser.add_argument("output", type=Path, metavar="OUT.ndjson", help="is written anew")
    options.config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Writes them; returns the exit status."""
    with Reader(load_store(arguments.config).reveal()) as reader:
        reader.check()
        last = {(one.event, one.platform, one.id): one.tag for one in reader.corrections(MOST)}
        lines = []
        for (event, platform, post), tag in last.items():
            mention = reader.mention(event, platform, post)
            for text, parent in mention.select("text", "parent_text").iter_rows():
                told = {
                    "platform": platform,
                    "id": post,
                    "event": event,
                    "text": text,
                    "parent": parent or "",
                    "tag": tag,
                }
                lines.append(msgspec.json.encode(told) + b"\n")
    with writing(arguments.output):
        arguments.output.touch(mode=0o600)  # texts of people
        arguments.output.write_bytes(b"".join(lines))
    print(f"{len(lines)} corrections in {arguments.output}")
    return 0
