"""`python -m benchmarks.console`."""

from benchmarks.console.run import main

if __name__ == "__main__":
    main()
