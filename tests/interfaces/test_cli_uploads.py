"""Uploads at the command line: withdrawn, tried again, and told of when they come once more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from application.commands.receive_upload import ReceiveUpload
from application.context import LOCAL_OWNER, Context
from domain.upload import Upload
from interfaces.cli.ingesting import notice_of
from interfaces.cli.main import main
from tests.support.archive_fixture import (
    CHAT,
    MASTER_KEY,
    Ingested,
    advance,
    export,
    ingest,
    open_test_container,
)

Invoke = Callable[..., Result]


@pytest.fixture
def ingested(database_url: str, tmp_path: Path) -> Ingested:
    with open_test_container(database_url, tmp_path) as container:
        return ingest(container)


@pytest.fixture
def invoke(database_url: str, tmp_path: Path) -> Invoke:
    environment = {
        "DATABASE_URL": database_url,
        "CHATLEDGER_DATA_DIR": str(tmp_path),
        "CHATLEDGER_MASTER_KEY": MASTER_KEY,
        "COLUMNS": "160",
    }

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["uploads", *arguments], env=environment)

    return run


def test_an_upload_is_withdrawn_once_and_its_log_says_so(
    ingested: Ingested, invoke: Invoke, database_url: str, tmp_path: Path
) -> None:
    id_ = str(ingested.upload_id)
    assert f"Upload {id_} is withdrawn." in invoke("withdraw", id_).output
    again = invoke("withdraw", id_)
    assert (again.exit_code, "was withdrawn, for good" in again.output) == (1, True)
    with open_test_container(database_url, tmp_path) as container:
        advance(container)
        assert container.archive.load(Upload, ingested.upload_id).stage == "withdrawn"
    assert "Withdrawn." in invoke(id_).output
    assert "withdrawn" in invoke().output


def test_what_cannot_be_done_is_said_in_a_sentence(ingested: Ingested, invoke: Invoke) -> None:
    id_ = str(ingested.upload_id)
    for arguments, sentence in (
        (("retry", id_), "is searchable and has not failed"),
        (("retry", id_, "--timezone", "Mars/Olympus"), "is no time zone"),
        (("withdraw", id_[:-4] + "0000"), "no upload"),
        (("withdraw", id_, "--workspace", "nowhere"), "there is no workspace 'nowhere'"),
    ):
        result = invoke(*arguments)
        assert result.exit_code != 0
        assert sentence in result.output


def test_the_sender_is_told_of_ignored_options_and_of_an_earlier_withdrawal(
    ingested: Ingested, invoke: Invoke, database_url: str, tmp_path: Path
) -> None:
    context = Context(actor_id=LOCAL_OWNER, workspace_id=ingested.workspace_id)
    command = ReceiveUpload(filename="chat.jsonl", options={"timezone": "Europe/Rome"})
    with open_test_container(database_url, tmp_path) as container:
        known = container.receive_upload(command, [export(CHAT)], context)
        invoke("withdraw", str(ingested.upload_id))
        anew = container.receive_upload(command, [export(CHAT)], context)

    assert "options given now are ignored" in str(notice_of(known.result))
    assert f"as upload {ingested.upload_id}" in str(notice_of(anew.result))
    assert notice_of({"again": True}) is None
