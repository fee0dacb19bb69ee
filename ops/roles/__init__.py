"""The processes of `hinomi up`, each with `python -m ops.roles.<name> --data DIR --config FILE`."""
