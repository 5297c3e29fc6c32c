#!/bin/sh
# setup.sh PACKAGE... [--wish PACKAGE...]: makes sure that what these Debian packages bring is there, and says what it
# does. Those after --wish may stay missing. With AG_NO_INSTALL=1 it only prints the line to type.
set -eu
export DEBIAN_FRONTEND=noninteractive

there() {
    case $1 in
        gcc) command -v cc ;;
        libc6-dev) ls /usr/include/stdio.h ;;
        ninja-build) command -v ninja ;;
        graphviz) command -v dot ;;
        gcc-aarch64-linux-gnu) command -v aarch64-linux-gnu-gcc ;;
        libc6-dev-arm64-cross) ls /usr/aarch64-linux-gnu/include/stdio.h ;;
        qemu-user) command -v qemu-aarch64 ;;
        libcriterion-dev) ls /usr/include/criterion/criterion.h ;;
        *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

missing='' wished='' wish=''
for package in "$@"; do
    if [ "$package" = --wish ]; then wish=1
    elif there "$package"; then :
    elif [ -n "$wish" ]; then wished="$wished $package"
    else missing="$missing $package"; fi
done
[ -n "$missing$wished" ] || exit 0

# give_up WORDS...: an error only if something is missing that must be there
give_up() {
    echo "setup: $*"
    [ -z "$missing" ] || exit 1
    exit 0
}

sudo=
if [ "$(id -u)" -ne 0 ]; then sudo="sudo "; fi
get="${sudo}apt-get -o DPkg::Lock::Timeout=300"
add="$get install -y --no-install-recommends"
if [ -n "${AG_NO_INSTALL:-}" ]; then give_up "AG_NO_INSTALL is set; to install what is missing, type
    $add$missing$wished"; fi
for tool in apt-get $sudo; do
    command -v "$tool" >/dev/null || give_up "there is no $tool here; please install by hand:$missing$wished"
done

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# install PACKAGES...: refreshes the package lists only when the ones at hand will not do
# shellcheck disable=SC2086 # $add and $get are lists
install() {
    echo "setup: installing $*"
    $add "$@" >"$log" 2>&1 && return
    echo "setup: refreshing the package lists, then once more"
    $get update >"$log" 2>&1 && $add "$@" >"$log" 2>&1
}
# shellcheck disable=SC2086 # lists
if [ -n "$missing" ] && ! install $missing; then cat "$log"; give_up "could not install$missing"; fi
missing=
# shellcheck disable=SC2086
if [ -n "$wished" ] && ! install $wished; then give_up "going on without$wished"; fi
