"""The standard suite: scenarios on a hardware target, kept as records, compared, followed and shown."""
