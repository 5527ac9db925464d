"""Relativity Short Message Format (RSMF), 1.0 and 2.0: .rsmf files, their zips and manifests."""
