"""An archive with the read models that a search needs, and a searcher over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from application.commands.embed_upload import EmbedUpload, EmbedUploadHandler
from application.ports.embedder import Embedder
from application.ports.search import Hit, SearchAnswer, SearchRequest
from application.searching.query import parse
from infrastructure.embedders.query_embedder import QueryEmbedder
from infrastructure.projections.runner import ProjectionRunner
from infrastructure.search.catalogue import PostgresVectorCatalogue
from infrastructure.search.hybrid import HybridSearcher
from infrastructure.search.meaning import Accelerator
from infrastructure.vectors.follower import FaissFollower
from infrastructure.words.follower import WordsFollower
from projections.authors.projection import AuthorsReadModel
from projections.conversations.projection import ConversationsReadModel
from projections.labels.projection import LabelsReadModel
from projections.messages.projection import MessagesReadModel
from projections.uploads.projection import UploadsReadModel
from projections.vectors.projection import VectorsReadModel
from projections.workspaces.projection import WorkspacesReadModel
from tests.support.archive import Ledger
from tests.support.chats import History
from tests.support.eventually import eventually
from tests.support.fake_embedder import HashEmbedder


class SearchSite:
    """
    Args:
        is_in_memory: messages and vectors are looked for in memory, where they are as soon as they
            are in the read models, and not by PostgreSQL.
        embedder: None: one without a model.
        accelerator: what compares vectors; None: what is in memory does, else pgvector.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        is_in_memory: bool = False,
        embedder: Embedder | None = None,
        accelerator: Accelerator | None = None,
    ) -> None:
        self.ledger = ledger
        self.history = History(ledger)
        models: list[Any] = [
            MessagesReadModel(),
            VectorsReadModel(),
            ConversationsReadModel(),
            AuthorsReadModel(),
            UploadsReadModel(),
            WorkspacesReadModel(),
            LabelsReadModel(),
        ]
        self.runner = ProjectionRunner(ledger.pool, ledger.reader, models)
        self.runner.ensure_all()
        self.embedder = embedder or HashEmbedder()
        self.words = WordsFollower(hub=ledger.hub, pool=ledger.pool) if is_in_memory else None
        self.vectors: FaissFollower | None = None
        self._folder: TemporaryDirectory[str] | None = None
        if self.words is not None:
            self.words.start()
            if accelerator is None:
                self._folder = TemporaryDirectory(prefix="chatledger-vectors-")
                accelerator = self.vectors = vectors_in_memory(
                    ledger, self.embedder, Path(self._folder.name)
                )
                self.vectors.start()
        self.searcher = HybridSearcher(
            ledger.pool,
            ledger.positions,
            QueryEmbedder(self.embedder),
            accelerator,
            words=self.words,
        )

    def close(self) -> None:
        self.searcher.close()
        if self.words is not None:
            self.words.stop()
        if self.vectors is not None:
            self.vectors.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def tell(self, *items: Any, has_vectors: bool = True) -> UUID:
        """One upload, searchable."""
        upload = self.history.upload(*items)
        self.advance()
        if has_vectors:
            self.embed(upload)
        return upload

    def embed(self, upload: UUID) -> None:
        catalogue = PostgresVectorCatalogue(self.ledger.pool, self.ledger.positions)
        handler = EmbedUploadHandler(self.ledger.archive, self.embedder, catalogue)
        handler(EmbedUpload(upload_id=upload), should_stop=lambda: False)
        self.advance()

    def advance(self, *names: str) -> None:
        for name in names or self.runner.names:
            assert not self.runner.advance(name)
        if self.words is not None:
            words, messages = self.words, self._reached("messages")
            eventually(lambda: words.words_of(self.ledger.workspace_id, messages) is not None)
        if self.vectors is not None:
            vectors, position = self.vectors, self._reached("vectors")
            eventually(lambda: vectors.is_trusted and vectors.position >= position)

    def _reached(self, read_model: str) -> int:
        with self.ledger.pool.connection() as connection:
            row = connection.execute(
                "SELECT position FROM projection.projection WHERE name = %s", (read_model,)
            ).fetchone()
        return 0 if row is None else int(row[0])

    def search(self, query: str, **options: Any) -> SearchAnswer:
        request = SearchRequest(
            workspace_id=options.pop("workspace_id", self.ledger.workspace_id),
            query=query,
            **options,
        )
        return self.searcher.search(request, parse(request.query))

    def hits(self, query: str, **options: Any) -> list[str]:
        return [hit.message.text for hit in self.search(query, **options).hits]

    def hit(self, query: str, **options: Any) -> Hit:
        return self.search(query, **options).hits[0]

    def pages(self, query: str, **options: Any) -> Iterator[SearchAnswer]:
        """Every page of a result, one after the other."""
        answer = self.search(query, **options)
        yield answer
        while answer.has_more:
            answer = self.search(query, **options, after=answer.hits[-1].place)
            yield answer

    def whole(self, query: str, **options: Any) -> list[Hit]:
        return [hit for page in self.pages(query, **options) for hit in page.hits]


def vectors_in_memory(ledger: Ledger, embedder: Embedder, folder: Path) -> FaissFollower:
    return FaissFollower(
        hub=ledger.hub, pool=ledger.pool, folder=folder, signing_key=b"k" * 32, model=embedder.model
    )
