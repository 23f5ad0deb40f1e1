#!/usr/bin/env python3
"""`./dev login`: signs a demonstration account of `./dev run` in. See tools/dev/login.sh."""
import sys

import dev_store
from dev_store import Failure


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print("usage: ./dev login NAME [CODE]", file=sys.stderr)
        return 2
    name = sys.argv[1]
    state = dev_store.State()
    if not state["url"]:
        raise Failure("there is no store yet: ./dev run")
    person = state.person(name)
    if person is None or not person.get("enrolled"):
        if len(sys.argv) == 2:
            raise Failure(f"{name} is not enrolled; ./dev run printed a code: ./dev login {name} CODE")
        dev_store.enrol(state, name, sys.argv[2])
        print(f"{name} is enrolled; password and second factor are in {state.path}")
    if name == state["administrator"]:
        dev_store.login_admin(state, name)
        print(f"{name} is signed in for administration")
        return 0
    header = state.folder / f"{name}.header"
    dev_store.write_private(header, f"Authorization: Bearer {dev_store.login(state, name)}\n")
    print(f"{name} is signed in; curl takes the token by -H @{header}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"dev login: {failure}", file=sys.stderr)
        sys.exit(1)
