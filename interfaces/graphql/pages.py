"""What each list is ordered by, and so what its cursors hold."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from interfaces.graphql.connections import PageOf
from projections.authors.queries import AuthorRow
from projections.conversations.queries import ConversationRow
from projections.labels.queries import LabelRow
from projections.messages.queries import MessageRow, VersionRow
from projections.uploads.queries import LogLineRow, UploadRow
from projections.workspaces.queries import WorkspaceRow

WORKSPACES = PageOf[WorkspaceRow]((datetime, UUID), lambda row: (row.created_at, row.workspace_id))
UPLOADS = PageOf[UploadRow]((datetime, UUID), lambda row: (row.received_at, row.upload_id))
LOG_LINES = PageOf[LogLineRow]((int,), lambda row: (row.position,))
AUTHORS = PageOf[AuthorRow]((str, UUID), lambda row: (row.sort_name, row.author_id))
CONVERSATIONS = PageOf[ConversationRow](
    (datetime, UUID), lambda row: (row.last_at, row.conversation_id)
)
CONVERSATIONS_BY_TITLE = PageOf[ConversationRow](
    (str, UUID), lambda row: (row.sort_title, row.conversation_id)
)
MESSAGES = PageOf[MessageRow]((datetime, int), lambda row: (row.sent_at, row.message_id))
LABELS = PageOf[LabelRow]((str, UUID), lambda row: (row.sort_name, row.label_id))
VERSIONS = PageOf[VersionRow]((int,), lambda row: (row.version,))
# Of a list that came as a whole: an entry's place in it.
ENTRIES = PageOf[tuple[int, UUID]]((int,), lambda entry: (entry[0],))
