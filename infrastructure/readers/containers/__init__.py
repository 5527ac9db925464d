"""What exports come packed in: zip, tar, gzip and folders, opened without trust."""
