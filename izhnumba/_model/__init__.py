"""Models and schemes as data: equations written once as scalars, and what is derived from them."""
