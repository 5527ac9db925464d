"""The table of contents: every use case and every part that serves it, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast
from uuid import UUID

from psycopg_pool import ConnectionPool

from application.archive import Archive
from application.commands.confirm_upload import ConfirmUploadHandler
from application.commands.create_workspace import CreateWorkspaceHandler
from application.commands.delete_withdrawn_blob import (
    DeleteWithdrawnBlobHandler,
    SweepWithdrawnBlobsHandler,
)
from application.commands.discard_job import DiscardJobHandler
from application.commands.download_upload import DownloadUploadHandler
from application.commands.embed_upload import EmbedUploadHandler
from application.commands.inspect_upload import InspectUploadHandler
from application.commands.join_conversations import JoinConversationsHandler
from application.commands.make_export import MakeExportHandler
from application.commands.operate_projection import OperateProjectionHandler
from application.commands.read_upload import ReadUploadHandler
from application.commands.rebuild_projection import RebuildProjectionHandler
from application.commands.receive_upload import ReceiveUploadHandler
from application.commands.record_upload_failure import RecordUploadFailureHandler
from application.commands.retry_job import RetryJobHandler
from application.commands.retry_upload import RetryUploadHandler
from application.commands.withdraw_upload import WithdrawUploadHandler
from application.merging import Merging
from application.policies.carry_labels import carry_labels
from application.policies.change_jobs import change_jobs
from application.policies.delete_withdrawn_blobs import delete_withdrawn_blobs
from application.policies.embed_read_uploads import embed_read_uploads
from application.policies.join_conversations import join_conversations
from application.policies.operate_projections import operate_projections
from application.policies.read_received_uploads import read_received_uploads
from application.ports.embedder import Embedder
from application.preview import Previewer
from infrastructure.blobs.disk import DiskBlobStore
from infrastructure.comparing.comparer import ReadModelComparer
from infrastructure.embedders.measured import MeasuredEmbedder
from infrastructure.embedders.minilm import MiniLmEmbedder
from infrastructure.embedders.query_embedder import QueryEmbedder
from infrastructure.jobs.queue import JobQueue
from infrastructure.keys.keyring import KeyRing
from infrastructure.keys.listener import KeyDestructionListener
from infrastructure.keys.master import MasterKey
from infrastructure.keys.pseudonyms import HmacPseudonyms
from infrastructure.labels.handlers import LabelHandlers
from infrastructure.labels.targets import PostgresLabelTargets
from infrastructure.log.feed import EventFeed
from infrastructure.log.mapper import SealingMapper
from infrastructure.log.persistence import CONNINFO
from infrastructure.log.reader import LogReader
from infrastructure.log.recorder import AppendOnlyRecorder
from infrastructure.matching.known_messages import PostgresKnownMessages
from infrastructure.monitoring.database import DatabaseStates
from infrastructure.monitoring.exposition import Exposition
from infrastructure.monitoring.readiness import Readiness
from infrastructure.observability.sampling import Sampler, watch_pool
from infrastructure.observability.sharing import counted
from infrastructure.postgres.notifications import NotificationHub
from infrastructure.postgres.pools import Pool
from infrastructure.postgres.watch import DatabaseWatch
from infrastructure.previews.postgres import PostgresPreviews
from infrastructure.projections.positions import Positions
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.projections.runner import ProjectionRunner
from infrastructure.projections.upkeep import Upkeep
from infrastructure.readers.registry import Readers
from infrastructure.search.catalogue import PostgresVectorCatalogue
from infrastructure.search.hybrid import HybridSearcher
from infrastructure.search_use_cases import SearchUseCases
from infrastructure.settings import Settings
from infrastructure.vectors.follower import FaissFollower
from infrastructure.words.follower import WordsFollower
from projections.audit_trail.projection import AuditTrailReadModel
from projections.authors.projection import AuthorsReadModel
from projections.contract import ReadModel
from projections.conversations.projection import ConversationsReadModel
from projections.labels.projection import LabelsReadModel
from projections.messages.projection import MessagesReadModel
from projections.saved_searches.projection import SavedSearchesReadModel
from projections.searches.projection import SearchesReadModel
from projections.uploads.projection import UploadsReadModel
from projections.uploads.queries import withdrawn_uploads
from projections.vectors.projection import VectorsReadModel
from projections.workspaces.projection import WorkspacesReadModel

RECORDER = "infrastructure.log.recorder:AppendOnlyRecorder"
PERSISTENCE = "infrastructure.log.persistence"


class Container(SearchUseCases):
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
        self.watch = DatabaseWatch(conninfo)
        pool: Any = Pool(
            conninfo,
            name="reads",
            max_size=16,
            open=True,
            kwargs={"autocommit": True},
            watch=self.watch,
        )
        self.pool: ConnectionPool[Any] = pool
        self.notifications = NotificationHub(conninfo, answer_seconds=2.0)
        self.positions = Positions(self.notifications, self.pool)
        self.event_feed = EventFeed(self.notifications, self.pool)
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
            policies=[
                read_received_uploads,
                embed_read_uploads,
                delete_withdrawn_blobs,
                join_conversations,
                carry_labels,
                operate_projections,
                change_jobs,
            ],
        )
        cast("AppendOnlyRecorder", self.archive.recorder).follow(self.watch)
        self.runner = ProjectionRunner(self.pool, LogReader(self.mapper), read_models())
        self.rebuilder = ProjectionRebuilder(self.runner)
        watch_pool("reads", self.pool)
        watch_pool("log", cast("Any", self.archive.recorder).datastore.pool)

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
    def download_upload(self) -> DownloadUploadHandler:
        return DownloadUploadHandler(self.archive, self.blobs)

    @cached_property
    def make_export(self) -> MakeExportHandler:
        return MakeExportHandler(self.archive)

    @cached_property
    def retry_upload(self) -> RetryUploadHandler:
        return RetryUploadHandler(self.archive, formats=self.readers.formats)

    @cached_property
    def inspect_upload(self) -> InspectUploadHandler:
        return InspectUploadHandler(self.archive, formats=self.readers.formats)

    @cached_property
    def confirm_upload(self) -> ConfirmUploadHandler:
        return ConfirmUploadHandler(self.archive, formats=self.readers.formats)

    @cached_property
    def withdraw_upload(self) -> WithdrawUploadHandler:
        return WithdrawUploadHandler(self.archive)

    @cached_property
    def join_conversations(self) -> JoinConversationsHandler:
        return JoinConversationsHandler(self.archive, self.known_messages)

    @cached_property
    def delete_withdrawn_blob(self) -> DeleteWithdrawnBlobHandler:
        return DeleteWithdrawnBlobHandler(self.archive, self.blobs, self.previews)

    @cached_property
    def sweep_withdrawn_blobs(self) -> SweepWithdrawnBlobsHandler:
        def withdrawn() -> list[UUID]:
            with self.pool.connection() as connection:
                return withdrawn_uploads(connection)

        return SweepWithdrawnBlobsHandler(withdrawn, self.delete_withdrawn_blob)

    @cached_property
    def labels(self) -> LabelHandlers:
        return LabelHandlers(self.archive, PostgresLabelTargets(self.pool))

    @cached_property
    def retry_job(self) -> RetryJobHandler:
        return RetryJobHandler(self.archive, JobQueue(self.pool))

    @cached_property
    def discard_job(self) -> DiscardJobHandler:
        return DiscardJobHandler(self.archive, JobQueue(self.pool))

    @cached_property
    def rebuild_projection(self) -> RebuildProjectionHandler:
        return RebuildProjectionHandler(self.archive, Upkeep(self.rebuilder))

    @cached_property
    def operate_projection(self) -> OperateProjectionHandler:
        return OperateProjectionHandler(self.archive, Upkeep(self.rebuilder))

    @cached_property
    def read_upload(self) -> ReadUploadHandler:
        return ReadUploadHandler(
            self.archive,
            self.blobs,
            self.readers,
            self.pseudonyms,
            previewer=self.previewer,
            previews=self.previews,
            known=self.known_messages,
        )

    @cached_property
    def embed_upload(self) -> EmbedUploadHandler:
        return EmbedUploadHandler(
            self.archive, self.embedder, PostgresVectorCatalogue(self.pool, self.positions)
        )

    @cached_property
    def record_upload_failure(self) -> RecordUploadFailureHandler:
        return RecordUploadFailureHandler(self.archive)

    @cached_property
    def searcher(self) -> HybridSearcher:
        return HybridSearcher(
            self.pool, self.positions, self.query_embedder, self.follower, self.words_follower
        )

    # What they need from the world

    @cached_property
    def readers(self) -> Readers:
        return Readers()

    @cached_property
    def previews(self) -> PostgresPreviews:
        return PostgresPreviews(self.pool)

    @cached_property
    def known_messages(self) -> PostgresKnownMessages:
        return PostgresKnownMessages(self.pool, self.positions)

    @cached_property
    def previewer(self) -> Previewer:
        comparer = ReadModelComparer(self.pool, self.positions, self.pseudonyms)
        return Previewer(comparer, self.merging_in)

    def merging_in(self, workspace_id: UUID, options: Mapping[str, Any]) -> Merging:
        """For previews: nothing is recorded of it."""
        return Merging(
            self.pseudonyms, self.known_messages, workspace_id=workspace_id, options=options
        )

    @cached_property
    def embedder(self) -> Embedder:
        """For uploads: takes every core that it may."""
        embedder = self._make_embedder(self.settings.embedding_threads)
        return MeasuredEmbedder(embedder, "uploads")

    @cached_property
    def query_embedder(self) -> QueryEmbedder:
        """For queries: apart from the other one, so that a search never waits for an upload."""
        return QueryEmbedder(MeasuredEmbedder(self._make_embedder(1), "queries"))

    @cached_property
    def follower(self) -> FaissFollower:
        return FaissFollower(
            hub=self.notifications,
            pool=self.pool,
            folder=self.settings.data_dir / "vectors",
            signing_key=self.master.derive("snapshot"),
            model=self.query_embedder.model,
        )

    @cached_property
    def words_follower(self) -> WordsFollower:
        return WordsFollower(hub=self.notifications, pool=self.pool)

    @cached_property
    def key_listener(self) -> KeyDestructionListener:
        return KeyDestructionListener(self.notifications, self.keyring)

    @cached_property
    def sampler(self) -> Sampler:
        return Sampler(
            vectors=lambda: vars(self).get("follower"),
            messages=lambda: vars(self).get("words_follower"),
        )

    @cached_property
    def states(self) -> DatabaseStates:
        return DatabaseStates(self.conninfo)

    @cached_property
    def exposition(self) -> Exposition:
        """The metrics of every process, and of the database."""
        return Exposition(counted(), self.states, self.sampler)

    @cached_property
    def readiness(self) -> Readiness:
        def faiss_position() -> int | None:
            follower: FaissFollower | None = vars(self).get("follower")
            return None if follower is None else follower.position

        return Readiness(
            self.states,
            code_versions=self.runner.code_versions,
            data_dir=self.settings.data_dir,
            is_listening=lambda: self.notifications.is_connected,
            faiss_position=faiss_position,
            model_state=lambda: self.query_embedder.state,
        )

    def start_background(self) -> None:
        """What a process that runs for long needs beside its work: it hears what others do."""
        self.readers.say_what_is_left_out()
        self.watch.start()
        self.notifications.start()
        self.positions.start()
        self.key_listener.start()
        self.sampler.start()

    def _minilm(self, threads: int | None) -> Embedder:
        return MiniLmEmbedder(threads=threads, cache_dir=self.settings.data_dir / "models")

    def close(self) -> None:
        if "sampler" in vars(self):
            self.sampler.stop()
        if "states" in vars(self):
            self.states.close()
        if "key_listener" in vars(self):
            self.key_listener.stop()
        if "follower" in vars(self):
            self.follower.stop()
        if "words_follower" in vars(self):
            self.words_follower.stop()
        if "searcher" in vars(self):
            self.searcher.close()
        self.event_feed.close()
        self.positions.close()
        self.notifications.stop()
        self.archive.close()
        self.pool.close()
        self.watch.stop()  # last: until then, nothing above waits for a database that is away


def read_models() -> list[ReadModel]:
    """Every read model: what runs, and what can be rebuilt."""
    return [
        WorkspacesReadModel(),
        UploadsReadModel(),
        ConversationsReadModel(),
        AuthorsReadModel(),
        MessagesReadModel(),
        VectorsReadModel(),
        LabelsReadModel(),
        AuditTrailReadModel(),
        SearchesReadModel(),
        SavedSearchesReadModel(),
    ]
