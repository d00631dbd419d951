"""Every column of a data set, named once.

Knows names, types and meanings; knows nothing of files or of how the rows come about. Users and items are
numbered from 0 inside a data set: `user` and `item` are those numbers, `user_id` and `item_id` the caller's
own names.
"""

from __future__ import annotations

import pyarrow as pa

USER = "user"
ITEM = "item"
USER_ID = "user_id"
ITEM_ID = "item_id"
TYPE = "type"
VALUE = "value"
QUANTITY = "quantity"
PRICE = "price"
TIME = "time"
POSITION = "position"
ORDINAL = "ordinal"
TEXT = "text"
TITLE = "title"
BRAND = "brand"
CATEGORY = "category"
RANKABLE = "rankable"
N_EVENTS = "n_events"
TRAINED = "trained"
FILE = "file"
LINE = "line"
REASON = "reason"

NO_TIME = -1
"""`time` of an event whose moment is not known."""

UNORDERED = -1
"""`position` of an event whose place in its user's history is not known; it is kept, and never ranked on."""

EVENTS = pa.schema(
    [
        pa.field(USER, pa.int32(), nullable=False),
        pa.field(ITEM, pa.int32(), nullable=False),
        pa.field(TYPE, pa.int8(), nullable=False),  # index into the data set's event types
        pa.field(VALUE, pa.float32()),  # as given: a rating, a duration, ...
        pa.field(QUANTITY, pa.float32()),
        pa.field(PRICE, pa.float32()),  # of one unit
        pa.field(TIME, pa.int64(), nullable=False),  # seconds since 1970 in UTC, or NO_TIME
        pa.field(POSITION, pa.int32(), nullable=False),  # 0, 1, 2, ... within the user, or UNORDERED
    ]
)
"""One bucket's events, sorted by user, then position; unordered events come first."""

PLACED = pa.schema([*EVENTS, pa.field(ORDINAL, pa.int64())])
"""The same with what orders a user's events, as the files give it: null where the place is not known."""

ITEMS = pa.schema(
    [
        pa.field(ITEM_ID, pa.string(), nullable=False),
        pa.field(TEXT, pa.string(), nullable=False),  # the template, filled; "" where all its fields are empty
        pa.field(TITLE, pa.string()),
        pa.field(BRAND, pa.string()),
        pa.field(CATEGORY, pa.string()),
        pa.field(PRICE, pa.float32()),
        pa.field(RANKABLE, pa.bool_(), nullable=False),  # whether it may be recommended
        pa.field(N_EVENTS, pa.int64(), nullable=False),
    ]
)
"""The catalogue; row i is item i, sorted by `item_id`."""

USERS = pa.schema(
    [
        pa.field(USER_ID, pa.string(), nullable=False),
        pa.field(N_EVENTS, pa.int64(), nullable=False),
    ]
)
"""The users, then one string column for each attribute; row i is user i, sorted by bucket and `user_id`."""

REJECTS = pa.schema(
    [
        pa.field(FILE, pa.string(), nullable=False),
        pa.field(LINE, pa.int64(), nullable=False),  # 1 is the file's first line or row, the header included
        pa.field(REASON, pa.string(), nullable=False),
    ]
)
"""Rows that could not be used; never their content, which may identify a person."""
