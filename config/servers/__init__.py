"""Starts one web process: daphne, the default, or uvicorn. Both keep the same promises to sockets and large bodies."""
