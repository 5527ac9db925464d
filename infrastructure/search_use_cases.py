"""The use cases of people who search: part of the container."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

from psycopg_pool import ConnectionPool

from application.archive import Archive
from application.commands.delete_saved_search import DeleteSavedSearchHandler
from application.commands.open_messages import OpenMessagesHandler
from application.commands.perform_search import PerformSearchHandler
from application.commands.rename_saved_search import RenameSavedSearchHandler
from application.commands.replay_search import ReplaySearchHandler
from application.commands.save_search import SaveSearchHandler
from application.commands.tell_hits import TellHitsHandler
from infrastructure.embedders.query_embedder import QueryEmbedder
from infrastructure.log.mapper import SealingMapper
from infrastructure.log.reader import LogReader
from infrastructure.search.hybrid import HybridSearcher
from infrastructure.search.new_hits import NewHitsFinder
from infrastructure.search.past_searches import LoggedSearches
from infrastructure.vectors.follower import FaissFollower


class SearchUseCases(ABC):
    """What they need is the container's."""

    archive: Archive
    pool: ConnectionPool[Any]
    mapper: SealingMapper

    @property
    @abstractmethod
    def searcher(self) -> HybridSearcher: ...

    @property
    @abstractmethod
    def query_embedder(self) -> QueryEmbedder: ...

    @property
    @abstractmethod
    def follower(self) -> FaissFollower: ...

    @cached_property
    def new_hits(self) -> NewHitsFinder:
        return NewHitsFinder(self.pool, self.query_embedder, self.follower)

    @cached_property
    def perform_search(self) -> PerformSearchHandler:
        return PerformSearchHandler(self.archive, self.searcher)

    @cached_property
    def replay_search(self) -> ReplaySearchHandler:
        past_searches = LoggedSearches(self.pool, LogReader(self.mapper))
        return ReplaySearchHandler(self.archive, self.searcher, past_searches)

    @cached_property
    def save_search(self) -> SaveSearchHandler:
        return SaveSearchHandler(self.archive)

    @cached_property
    def rename_saved_search(self) -> RenameSavedSearchHandler:
        return RenameSavedSearchHandler(self.archive)

    @cached_property
    def delete_saved_search(self) -> DeleteSavedSearchHandler:
        return DeleteSavedSearchHandler(self.archive)

    @cached_property
    def tell_hits(self) -> TellHitsHandler:
        return TellHitsHandler(self.archive)

    @cached_property
    def open_messages(self) -> OpenMessagesHandler:
        return OpenMessagesHandler(self.archive)
