"""The FAISS accelerator and its snapshots."""
