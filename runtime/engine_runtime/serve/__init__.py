"""The engine as one object, and the batch over a whole data set."""
