"""The table of contents: every use case and every part that serves it, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from psycopg_pool import ConnectionPool

from application.archive import Archive
from application.commands.create_workspace import CreateWorkspaceHandler
from application.commands.embed_upload import EmbedUploadHandler
from application.commands.perform_search import PerformSearchHandler
from application.commands.read_upload import ReadUploadHandler
from application.commands.receive_upload import ReceiveUploadHandler
from application.commands.record_upload_failure import RecordUploadFailureHandler
from application.commands.retry_upload import RetryUploadHandler
from application.policies.embed_read_uploads import embed_read_uploads
from application.policies.read_received_uploads import read_received_uploads
from application.ports.embedder import Embedder
from infrastructure.blobs.disk import DiskBlobStore
from infrastructure.embedders.minilm import MiniLmEmbedder
from infrastructure.keys.keyring import KeyRing
from infrastructure.keys.listener import KeyDestructionListener
from infrastructure.keys.master import MasterKey
from infrastructure.keys.pseudonyms import HmacPseudonyms
from infrastructure.log.mapper import SealingMapper
from infrastructure.log.persistence import CONNINFO
from infrastructure.log.reader import LogReader
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.projections.runner import ProjectionRunner
from infrastructure.readers.registry import Readers
from infrastructure.search.catalogue import PostgresVectorCatalogue
from infrastructure.search.hybrid import HybridSearcher
from infrastructure.settings import Settings
from infrastructure.vectors.follower import FaissFollower
from projections.audit_trail.projection import AuditTrailReadModel
from projections.authors.projection import AuthorsReadModel
from projections.contract import ReadModel
from projections.conversations.projection import ConversationsReadModel
from projections.messages.projection import MessagesReadModel
from projections.uploads.projection import UploadsReadModel
from projections.vectors.projection import VectorsReadModel
from projections.workspaces.projection import WorkspacesReadModel

RECORDER = "infrastructure.log.recorder:AppendOnlyRecorder"
PERSISTENCE = "infrastructure.log.persistence"


class Container:
    """
    Built by `bootstrap`. What is costly, such as a model, is made when it is first asked for.

    Args:
        conninfo: with the role and the search path that every connection of ours has.
        make_embedder: called with the number of threads; tests give their own.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        conninfo: str,
        master: MasterKey,
        make_embedder: Callable[[int | None], Embedder] | None = None,
    ) -> None:
        self.settings = settings
        self.conninfo = conninfo
        self.master = master
        self._make_embedder = make_embedder or self._minilm
        self.pool: ConnectionPool[Any] = ConnectionPool(
            conninfo, min_size=1, max_size=16, open=True, kwargs={"autocommit": True}, timeout=10
        )
        self.keyring = KeyRing(self.pool, master)
        self.pseudonyms = HmacPseudonyms(master)
        self.mapper = SealingMapper(self.keyring)
        self.blobs = DiskBlobStore(settings.data_dir / "blobs", master)
        self.archive = Archive(
            env={
                "PERSISTENCE_MODULE": PERSISTENCE,
                "APPLICATION_RECORDER_TOPIC": RECORDER,
                CONNINFO: conninfo,
            },
            mapper=self.mapper,
            policies=[read_received_uploads, embed_read_uploads],
        )
        self.runner = ProjectionRunner(self.pool, LogReader(self.mapper), read_models())
        self.rebuilder = ProjectionRebuilder(self.runner)

    # Commands

    @cached_property
    def create_workspace(self) -> CreateWorkspaceHandler:
        return CreateWorkspaceHandler(self.archive)

    @cached_property
    def receive_upload(self) -> ReceiveUploadHandler:
        return ReceiveUploadHandler(
            self.archive,
            self.blobs,
            max_bytes=self.settings.max_upload_bytes,
            formats=self.readers.formats,
        )

    @cached_property
    def retry_upload(self) -> RetryUploadHandler:
        return RetryUploadHandler(self.archive)

    @cached_property
    def read_upload(self) -> ReadUploadHandler:
        return ReadUploadHandler(self.archive, self.blobs, self.readers, self.pseudonyms)

    @cached_property
    def embed_upload(self) -> EmbedUploadHandler:
        return EmbedUploadHandler(self.archive, self.embedder, PostgresVectorCatalogue(self.pool))

    @cached_property
    def record_upload_failure(self) -> RecordUploadFailureHandler:
        return RecordUploadFailureHandler(self.archive)

    @cached_property
    def perform_search(self) -> PerformSearchHandler:
        searcher = HybridSearcher(self.pool, self.query_embedder, self.follower)
        return PerformSearchHandler(self.archive, searcher)

    # What they need from the world

    @cached_property
    def readers(self) -> Readers:
        return Readers()

    @cached_property
    def embedder(self) -> Embedder:
        """For uploads: takes every core that it may."""
        return self._make_embedder(self.settings.embedding_threads)

    @cached_property
    def query_embedder(self) -> Embedder:
        """For queries: apart from the other one, so that a search never waits for an upload."""
        return self._make_embedder(1)

    @cached_property
    def follower(self) -> FaissFollower:
        return FaissFollower(
            conninfo=self.conninfo,
            folder=self.settings.data_dir / "vectors",
            signing_key=self.master.derive("snapshot"),
            model=self.query_embedder.model,
        )

    @cached_property
    def key_listener(self) -> KeyDestructionListener:
        return KeyDestructionListener(self.conninfo, self.keyring)

    def start_background(self) -> None:
        """What a process that runs for long needs beside its work: it forgets destroyed keys."""
        self.key_listener.start()

    def _minilm(self, threads: int | None) -> Embedder:
        return MiniLmEmbedder(threads=threads, cache_dir=self.settings.data_dir / "models")

    def close(self) -> None:
        if "key_listener" in vars(self):
            self.key_listener.stop()
        if "follower" in vars(self):
            self.follower.stop()
        self.archive.close()
        self.pool.close()


def read_models() -> list[ReadModel]:
    """Every read model: what runs, and what can be rebuilt."""
    return [
        WorkspacesReadModel(),
        UploadsReadModel(),
        ConversationsReadModel(),
        AuthorsReadModel(),
        MessagesReadModel(),
        VectorsReadModel(),
        AuditTrailReadModel(),
    ]
