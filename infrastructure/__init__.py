"""The world: every driver, file format and key lives here, behind a port."""
