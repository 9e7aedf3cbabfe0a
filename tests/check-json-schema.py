#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds JSON documents against a JSON Schema.

usage: check-json-schema.py SCHEMA FILE...
       check-json-schema.py SCHEMA --from PROGRAM [ARGUMENT...]

With --from, PROGRAM is called with a temporary folder as its last argument and writes *.json files into it;
it has to write at least one. Exits with 0 when all are valid, with 1 when one is not, and with 77, which meson
takes for skipped, when python3-jsonschema is not installed.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def refuse_duplicates(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError(f"a member stands twice: {names}")
    return dict(pairs)


def check(validator, path):
    document = json.loads(path.read_bytes().decode("utf-8"), object_pairs_hook=refuse_duplicates)
    errors = list(validator.iter_errors(document))
    for error in errors[:5]:
        place = "/".join(str(part) for part in error.absolute_path)
        print(f"{path.name}: {place}: {error.message[:300]}")
    return not errors


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as folder:
        paths = [pathlib.Path(name) for name in sys.argv[2:]]
        if sys.argv[2] == "--from":
            subprocess.run([*sys.argv[3:], folder], check=True)
            paths = sorted(pathlib.Path(folder).glob("*.json"))
        if not paths:
            sys.exit("nothing to check: no file was written")
        valid = [check(validator, path) for path in paths]
    print(f"{sum(valid)} of {len(valid)} documents are valid")
    sys.exit(0 if all(valid) else 1)


main()
