"""The demo city's day: raw vendor-format logs of a fictitious city with an attack planted in them."""
