"""
The test kit for readers, ours and other people's: `docs/readers.md` says how to use it.

Names in `contract` and `files` stay as they are; new checks may come with any release.
"""
