"""Spending: what a user pays, in which price bands and for which brands. Pure; knows histories and a catalogue.

Returned goods carry a negative quantity and lower the total; bands and brands look at what was bought.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine_runtime.data.histories import Histories
from engine_runtime.data.schema import BRAND, PRICE
from engine_runtime.profile.shares import list_of_shares, share_type

BANDS = ("low", "middle", "high")
TOP_BRANDS = 5

FIELDS = [
    pa.field("total", pa.float64()),  # of price times quantity, returns deducted
    pa.field("quantity", pa.float64()),  # units, returns deducted
    pa.field("mean_price", pa.float32()),  # of a unit bought
    pa.field("price_bands", share_type("band")),  # shares of the units bought
    pa.field("brands", share_type("brand")),  # shares of the money spent on known brands, the largest five
]
TYPE = pa.struct(FIELDS)


@dataclass(frozen=True)
class Market:
    """What spending is measured against.

    Attributes
    ----------
    edges
        float64 [2]: thirds of the catalogue's prices; None where it has none.
    brands
        Names.
    item_brands
        int64 [items]: index into `brands`, -1 where unknown.
    """

    edges: npt.NDArray[np.float64] | None
    brands: list[str]
    item_brands: npt.NDArray[np.int64]


def market(catalogue: pa.Table) -> Market:
    """Price bands and brands of a catalogue of schema `engine_runtime.data.schema.ITEMS`."""
    prices = catalogue[PRICE].to_numpy().astype(np.float64)
    known = prices[np.isfinite(prices)]
    encoded = pc.dictionary_encode(catalogue[BRAND].combine_chunks())
    numbers = np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), np.int64)
    return Market(np.quantile(known, (1 / 3, 2 / 3)) if len(known) else None, encoded.dictionary.to_pylist(), numbers)


def spending(histories: Histories, against: Market) -> pa.StructArray:
    """Spending of each user.

    Parameters
    ----------
    histories
        Of U users; a price without a quantity is of one unit.
    against
        The catalogue's price bands and brands.

    Returns
    -------
    struct [U]
        Null for a user none of whose events has a price.
    """
    priced = np.isfinite(histories.prices)
    rows, prices = histories.rows[priced], histories.prices[priced].astype(np.float64)
    units = np.nan_to_num(histories.quantities[priced].astype(np.float64), nan=1.0)
    count = len(histories)
    bought = units > 0
    bought_units = _sums(rows[bought], units[bought], count)
    paid = _sums(rows[bought], (prices * units)[bought], count)
    columns = [
        pa.array(_sums(rows, prices * units, count)),
        pa.array(_sums(rows, units, count)),
        pa.array((paid / np.maximum(bought_units, 1e-9)).astype(np.float32), mask=bought_units == 0),
        _bands(rows[bought], prices[bought], units[bought], count, against),
        _brands(rows[bought], histories.items[priced][bought], (prices * units)[bought], count, against),
    ]
    none = np.bincount(rows, minlength=count) == 0
    return pa.StructArray.from_arrays(columns, fields=FIELDS, mask=pa.array(none))


def _sums(rows: npt.NDArray[np.int64], amounts: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    # `bincount` forgets the type of its weights where there are none
    return np.bincount(rows, amounts, count).astype(np.float64)


def _bands(
    rows: npt.NDArray[np.int64],
    prices: npt.NDArray[np.float64],
    units: npt.NDArray[np.float64],
    count: int,
    against: Market,
) -> pa.ListArray:
    if against.edges is None:
        rows, prices, units = rows[:0], prices[:0], units[:0]
    edges = against.edges if against.edges is not None else np.zeros(2)
    bands = np.searchsorted(edges, prices, side="right")
    return list_of_shares(rows, bands, units, count, BANDS, field="band")


def _brands(
    rows: npt.NDArray[np.int64],
    items: npt.NDArray[np.int32],
    paid: npt.NDArray[np.float64],
    count: int,
    against: Market,
) -> pa.ListArray:
    known = items < len(against.item_brands)
    rows, paid, brands = rows[known], paid[known], against.item_brands[items[known]]
    kept = brands >= 0
    return list_of_shares(rows[kept], brands[kept], paid[kept], count, against.brands, field="brand", top=TOP_BRANDS)
