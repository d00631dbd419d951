"""From query vectors to ranked items: exact and HNSW search behind one interface, and the fusion of rankings."""
