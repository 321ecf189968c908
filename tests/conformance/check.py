"""Starts the real server with a folder of its own and lets other people's tools loose on it."""

import argparse
import sys

import documented
import provider
from server import Server


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="the program `rollcall`")
    binary = parser.parse_args().binary
    problems = []
    with Server(binary) as server:
        for name, check in [
            ("scim2-tester", provider.tester),
            ("scim2-cli", provider.commands),
            ("schemathesis", documented.check),
        ]:
            summary, found = check(server)
            print(f"{name}: {summary}")
            problems += [f"{name}: {problem}" for problem in found]
        if server.panicked():
            problems.append("the server panicked; its output is above")
    for problem in problems:
        print(f"PROBLEM {problem}", file=sys.stderr)
    print("no problems" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
