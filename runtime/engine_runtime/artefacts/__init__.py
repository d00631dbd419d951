"""The directories that this engine writes and reads: one frozen dataclass for each kind."""
