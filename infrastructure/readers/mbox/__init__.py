"""E-mail: mbox files, archives of mailing lists, single messages and folders of them."""
