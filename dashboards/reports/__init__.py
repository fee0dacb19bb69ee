"""Reports, one file each: a module here with a `report` is in the catalogue, nothing else is edited."""
