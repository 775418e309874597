"""`python -m client` is the `leadersboard` command."""

from client.cli.command import main

if __name__ == "__main__":
    main()
