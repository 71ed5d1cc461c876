"""`python -m wav2patch` is `wav2patch`."""

from wav2patch.cli.app import main

if __name__ == "__main__":
    main()
