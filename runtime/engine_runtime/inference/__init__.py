"""From texts and histories to vectors: the session door, tokenizer, batching, encoder, refiner."""
