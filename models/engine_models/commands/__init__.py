"""One file a command: options in, one call to the library, what a person or a machine reads out."""
