"""The daemon as a process, asked from outside: latencies and sustained rates, each beside its target."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from aiomqtt import Client
from aiomqtt.client import ProtocolVersion
from sqlalchemy import create_engine, text

from monitor.clock import SystemClock
from tests.rig.feed import Ledger, Writer, note_published
from tests.rig.process import total
from tests.rig.rig import Rig, in_turn, rig
