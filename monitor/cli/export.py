"""`monitor alerts export`: a brief of an alert for the file, written by nobody else's leave to read."""

import argparse
from pathlib import Path

from monitor.alert.chart import picture
from monitor.alert.export import Brief
from monitor.alert.export_files import as_csv, as_json, as_markdown
from monitor.cli import options
from monitor.cli.api_client import ApiClient
from monitor.cli.outputs import writing
from monitor.errors import SettingsError

ACTION = "export"
EXAMPLE = "\nexamples:\n  monitor alerts export 9f86d081884c7d65 --output brief\n"
CHART = "chart.png"


def add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Adds the action and its options."""
    parser = options.command(actions, ACTION, "writes a brief: Markdown, JSON, CSV and the chart", EXAMPLE)
    parser.add_argument("id", metavar="ID", help="the alert's id, as `monitor alerts list` and its card show it")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write to, made if need be")
    parser.add_argument("--with-authors", action="store_true", help="with authors, ids and links of posts")
    options.config(parser)
    return parser


def run(client: ApiClient, arguments: argparse.Namespace) -> None:
    """Writes the brief; raises SettingsError where a file is there already, StoreError where one cannot be written."""
    query = {"authors": "true"} if arguments.with_authors else {}
    brief = client.ask("GET", "alerts", arguments.id, "brief", wanted=Brief, query=query)
    chart = picture(brief.alert)
    files = {
        "brief.md": as_markdown(brief, chart=CHART if chart is not None else None),
        "brief.json": as_json(brief),
        "evidence.csv": as_csv(brief),
    } | ({CHART: chart} if chart is not None else {})
    folder: Path = arguments.output
    there = [str(folder / name) for name in files if (folder / name).exists()]
    if there:
        raise SettingsError([f"{path}: is there already; name another folder" for path in there])
    with writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        with writing(path):
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes(content)
    print(f"{folder}: {', '.join(files)}; {len(brief.exhibits)} posts")
