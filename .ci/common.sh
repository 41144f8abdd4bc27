# shellcheck shell=bash
# What .ci/run and .ci/full share: steps with their times, a build folder outside the checkout, and foreign programs.
# Sourced, never run.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
checkout=$PWD

if [[ -n ${XDG_CACHE_HOME:-} || -n ${HOME:-} ]]; then
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/azidentity-ci
else
  cache=$(mktemp -d)
fi
mkdir -p "$cache"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never PYTHONDONTWRITEBYTECODE=1
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1

scratch=$(mktemp -d)
current_step='' step_started=0

# The errexit of bash ends the script at the first failure; this says where that was.
finish() {
  local status=$?
  rm -rf "$scratch"
  if ((status != 0)); then
    printf '\nci: FAILED in the step "%s" after %d s, with status %d\n' "${current_step:-start}" "$SECONDS" "$status" >&2
  fi
}
trap finish EXIT

end_step() {
  if [[ -n $current_step ]]; then
    printf -- '--- %s: %d s\n' "$current_step" $((SECONDS - step_started))
  fi
  current_step=''
}

step() {
  end_step
  current_step=$1 step_started=$SECONDS
  printf '\n=== %s\n' "$1"
}

# A test that hangs should be reported as this step's failure, long before the whole run is given up.
limited() {
  local seconds=$1
  shift
  local status=0
  timeout --foreground --kill-after=10 "$seconds" "$@" || status=$?
  if ((status == 124 || status == 137)); then
    printf 'ci: not done after %d s: %s\n' "$seconds" "$*" >&2
  fi
  return "$status"
}

# install_debian PROGRAM:PACKAGE...: installs the packages of those programs that are not there.
install_debian() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  if ((${#missing[@]} > 0)); then
    echo "installing ${missing[*]}"
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$scratch/apt.log" 2>&1 || {
      cat "$scratch/apt.log" >&2
      return 1
    }
  fi
}

# Azurite, a storage server with Entra authentication. 3.35 is the newest that runs on Node 20.
install_azurite() {
  local version=3.35.0
  local folder=$cache/azurite-$version
  if [[ ! -e $folder/complete ]]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    # Its install scripts only serve databases that the blob server does not use.
    npm install --prefix "$folder" --no-audit --no-fund --no-progress --loglevel=error --ignore-scripts "azurite@$version"
    touch "$folder/complete"
  fi
  export AZURITE_BLOB=$folder/node_modules/.bin/azurite-blob
  "$AZURITE_BLOB" --version
}

# Microsoft's libraries for Python, which the emulator is tested with, and one that verifies assertions.
install_python_packages() {
  local packages=(azure-identity==1.24.0 msal==1.39.0 'pyjwt[crypto]==2.10.1')
  local folder stamp
  stamp=$(printf '%s\n' "${packages[@]}" | sha256sum)
  folder=$cache/python-${stamp:0:16}
  if [[ ! -e $folder/complete ]]; then
    rm -rf "$folder"
    # On Debian the module lacks its pip until this package is there.
    python3 -m venv "$folder" >"$scratch/venv.log" 2>&1 || {
      apt-get update -qq
      apt-get install -y -qq --no-install-recommends python3-venv >>"$scratch/venv.log" 2>&1 && python3 -m venv "$folder" || {
        cat "$scratch/venv.log" >&2
        return 1
      }
    }
    "$folder/bin/pip" install --quiet "${packages[@]}"
    touch "$folder/complete"
  fi
  export AZIDENTITY_TEST_PYTHON=$folder/bin/python3
  "$AZIDENTITY_TEST_PYTHON" --version
}

# workspace_members: the names of our own packages. library_features: of the features of the library.
manifest() {
  cargo metadata --no-deps --format-version 1 | python3 -c "
import json, sys
packages = json.load(sys.stdin)['packages']
print('\n'.join(sorted($1)))"
}
workspace_members() { manifest "p['name'] for p in packages"; }
library_features() { manifest "{f for p in packages if p['name'] == 'azidentity' for f in p['features']} - {'default'}"; }

# The shared build folder must not hand one checkout what was built from another: cargo compares time stamps, and the
# other checkout's may be newer. What comes from the registry is the same for all.
separate_checkouts() {
  local stamp=$CARGO_TARGET_DIR/azidentity-ci-checkout list member packages=()
  mkdir -p "$CARGO_TARGET_DIR"
  if [[ ! -e $stamp || $(<"$stamp") != "$checkout" ]]; then
    list=$(workspace_members)
    for member in $list; do
      packages+=(-p "$member")
    done
    cargo clean --quiet --locked "${packages[@]}"
    mkdir -p "$CARGO_TARGET_DIR"
    printf '%s' "$checkout" >"$stamp"
  fi
}
