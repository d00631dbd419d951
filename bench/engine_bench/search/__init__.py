"""The index beside hnswlib as a user would write it and faiss: recall, rate, build and memory."""
