"""Mutations as clients write them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.support.graphql_site import Site

SELECTED = {
    "createWorkspace": "isNew workspace {id name}",
    "inspectUpload": "upload {id stage awaits}",
    "confirmUpload": "upload {id stage awaits}",
    "retryUpload": "upload {id stage}",
    "withdrawUpload": "upload {id stage}",
    "saveSearch": "savedSearch {id name query mode sort filters timeZone savedAt position}",
    "renameSavedSearch": "savedSearch {id name}",
    "deleteSavedSearch": "id",
    "createLabel": "label {id name colour description messageCount conversationCount}",
    "renameLabel": "label {id name messageCount}",
    "deleteLabel": "labelId",
    "addLabel": "changed label {name messageCount conversationCount}",
    "removeLabel": "changed label {name messageCount conversationCount}",
    "rebuildProjection": "projection {name current {version}}",
    "rollBackProjection": "projection {name current {version}}",
    "retryJob": "job {id status attempts}",
    "discardJob": "wasRunning",
}


def document(name: str) -> str:
    capital = name[0].upper() + name[1:]
    return f"""mutation($input: {capital}Input!) {{{name}(input: $input) {{
      __typename
      ... on MutationSuccess {{commandId position}}
      ... on {capital}Success {{{SELECTED[name]}}}
      ... on Refusal {{code message}}
    }}}}"""


def mutate(site: Site, name: str, /, **input: Any) -> Any:
    """With a command id of its own, unless one is given."""
    given = {"commandId": str(uuid4()), **input}
    return site.data(document(name), input=given)[name]
