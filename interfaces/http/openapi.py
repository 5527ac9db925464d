"""
Prints the OpenAPI document: `python -m interfaces.http.openapi > interfaces/http/openapi.json`.

The committed copy shows in reviews what a change does to the interface.
"""

from __future__ import annotations

import sys

from interfaces.http.app import routes_to_describe
from interfaces.http.openapi_document import as_text, document

if __name__ == "__main__":
    sys.stdout.write(as_text(document(routes_to_describe())))
