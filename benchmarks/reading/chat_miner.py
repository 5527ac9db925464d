"""Run by another Python, which has chat-miner: seconds it needs for one WhatsApp chat."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from importlib import import_module


def main(path: str) -> None:
    logging.disable(logging.CRITICAL)
    os.environ["TQDM_DISABLE"] = "1"
    parsers = import_module("chatminer.chatparsers")
    started = time.process_time()
    parser = parsers.WhatsAppParser(path)
    parser.parse_file()
    seconds = time.process_time() - started
    messages = len(parser.parsed_messages._parsed_messages)
    print(json.dumps({"seconds": seconds, "messages": messages}))


if __name__ == "__main__":
    main(sys.argv[1])
