#!/usr/bin/env bash
# Runs once, as root, when Gradescope builds the image: what the checks need, in /autograder/python.
set -euo pipefail
source="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(dirname "$source")"
. "$source/settings.sh"

apt-get install -y python3-venv util-linux
python3 -m venv "$root/tools"
"$root/tools/bin/python" -m pip install --quiet "uv>=0.9"
# Not below /root, where the user who runs the learners' code could not read it.
export UV_PYTHON_INSTALL_DIR="$root/tools/pythons" UV_NO_CACHE=1
"$root/tools/bin/uv" venv --quiet --python "$PYTHON" "$root/python"
"$root/tools/bin/uv" pip install --quiet --python "$root/python" --torch-backend cpu -r "$source/requirements.txt"

# The library holds the answers.
chmod -R go= "$source"
PYTHONPATH="$source/library" "$root/python/bin/python" -m coursekit.classroom.autograder --try "$EXERCISE"
