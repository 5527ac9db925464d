"""
Documents that are known by their hash, so that a page in a browser can ask nothing else.

`python -m interfaces.graphql.trusted FOLDER` prints the manifest of a folder's .graphql files: what
`documentId` is to be, and its document.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from graphql import DocumentNode, concat_ast, parse, print_ast, separate_operations

from infrastructure.settings import SettingError
from interfaces.graphql.decoding import RefusedError, bad_request

PACKAGED = Path(__file__).parent / "trusted_documents.json"  # of the web application
PREFIX = "sha256:"
DIGITS = frozenset("0123456789abcdef")
LENGTH = 64  # of a hash in hex
NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
REQUIRED = "TRUSTED_DOCUMENT_REQUIRED"


class ManifestError(SettingError):
    """A manifest of trusted documents is not what it should be."""


class TrustedDocuments:
    """
    Args:
        documents: by the SHA-256 of their UTF-8, in hex.
        is_required: of browsers, which name themselves by the headers that pages cannot change.
    """

    def __init__(self, documents: Mapping[str, str], *, is_required: bool) -> None:
        self._documents = documents
        self._is_required = is_required

    @classmethod
    def read(cls, path: Path | None, *, is_required: bool) -> TrustedDocuments:
        """
        Args:
            path: None: the packaged ones, if there are any.

        Raises:
            ManifestError
        """
        if path is None and not PACKAGED.exists():
            return cls({}, is_required=is_required)
        return cls(read_manifest(path or PACKAGED), is_required=is_required)

    def document_of(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> str | None:
        """
        The document to be carried out; None if there is none.

        Args:
            headers: of the request, or of the WebSocket's handshake; names in lower case.
            payload: with members of the right kinds, see `decoding.checked`.

        Raises:
            RefusedError
        """
        query: str | None = payload.get("query")
        must_be_known = self._is_required and is_browser(headers)
        hash = hash_of(payload)
        if hash is None:
            if must_be_known:
                raise RefusedError(
                    HTTPStatus.BAD_REQUEST,
                    "Pages may ask only for documents that this server knows, by their ids.",
                    REQUIRED,
                )
            return query
        if query and sha256(query) != hash:
            raise bad_request("The document's id is not that of the document.")
        known = self._documents.get(hash)
        if known is None and (must_be_known or not query):
            # The message is what Apollo's clients look for.
            raise RefusedError(HTTPStatus.BAD_REQUEST, "PersistedQueryNotFound", NOT_FOUND)
        return known or query


def is_browser(headers: Mapping[str, str]) -> bool:
    return "sec-fetch-site" in headers or "origin" in headers


def hash_of(payload: Mapping[str, Any]) -> str | None:
    """
    Of the document that the payload names. None: it names none.

    Raises:
        RefusedError
    """
    named = {hash for hash in (of_id(payload), of_extension(payload)) if hash is not None}
    if len(named) > 1:
        raise bad_request("`documentId` and `persistedQuery` name different documents.")
    return next(iter(named), None)


def of_id(payload: Mapping[str, Any]) -> str | None:
    """As GraphQL over HTTP has it in its appendix on persisted documents."""
    id = payload.get("documentId")
    if id is None:
        return None
    if not isinstance(id, str) or not id.startswith(PREFIX):
        raise bad_request(f"`documentId` begins with {PREFIX}.")
    return valid_hash(id.removeprefix(PREFIX))


def of_extension(payload: Mapping[str, Any]) -> str | None:
    """As Apollo's clients have it."""
    extension = (payload.get("extensions") or {}).get("persistedQuery")
    if extension is None:
        return None
    if not isinstance(extension, dict) or extension.get("version", 1) != 1:
        raise bad_request("`persistedQuery` must be an object of version 1.")
    return valid_hash(extension.get("sha256Hash"))


def valid_hash(hash: object) -> str:
    if not isinstance(hash, str) or len(hash) != LENGTH or not set(hash.lower()) <= DIGITS:
        raise bad_request(f"A document's hash has {LENGTH} hexadecimal digits.")
    return hash.lower()


def sha256(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()


def read_manifest(path: Path) -> dict[str, str]:
    """
    Raises:
        ManifestError
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path} cannot be read as JSON ({type(error).__name__})") from error
    if not isinstance(found, dict):
        raise ManifestError(f"{path} must hold one object: id to document")
    documents = {id.removeprefix(PREFIX): document for id, document in found.items()}
    for hash, document in documents.items():
        if not isinstance(document, str) or sha256(document) != hash:
            raise ManifestError(f"{path}: {hash[:80]!r} is not the SHA-256 of its document")
    return documents


def manifest_of(folder: Path) -> dict[str, str]:
    """
    A document for each operation in the folder's .graphql files, with the fragments that it uses,
    whichever file they are in.

    Raises:
        ManifestError: an operation has no name, or that of another one.
    """
    parsed = [parse(path.read_text("utf-8")) for path in sorted(folder.rglob("*.graphql"))]
    operations = [part for document in parsed for part in document.definitions]
    separate = separate_operations(concat_ast(parsed))
    named = [part for part in operations if part.kind == "operation_definition"]
    if "" in separate or len(separate) != len(named):
        raise ManifestError(f"every operation in {folder} needs a name of its own")
    documents = [written(document) for document in separate.values()]
    return {sha256(document): document for document in documents}


def written(document: DocumentNode) -> str:
    return print_ast(document)


def main(arguments: list[str]) -> None:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.exit("usage: python -m interfaces.graphql.trusted FOLDER")
    try:
        manifest = manifest_of(Path(arguments[0]))
    except ManifestError as error:
        sys.exit(str(error))
    by_id = {f"{PREFIX}{hash}": document for hash, document in manifest.items()}
    print(json.dumps(by_id, indent=2, sort_keys=True))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
