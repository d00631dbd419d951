"""One page that shows what the suite found: HTML that stands alone, without a script and without a request.

From the bottom up: `markup` (escaping), `units` (names of figures as people read them), `scales`, `charts` and `bars`
(SVG), `tables` (HTML and JSON of the same cells), `cost`; `rows`, `distributions`, `curves`, `past` and `summary` make
tables, charts and sentences of records; `page` puts them together. A plotting library would bring megabytes of script
into every page; a few hundred lines of SVG made here bring none, and the page can forbid scripts altogether.
"""
