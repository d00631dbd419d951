"""From raw events to served profiles at growing sizes: each step a command of its own, watched from outside."""
