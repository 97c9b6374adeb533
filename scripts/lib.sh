# shellcheck shell=bash
# What the scripts of this folder share; sourced, never run.
#
#   CACHE                what was downloaded once: DAYBOOK_CACHE, default ~/.cache/daybook
#   say, die             one line to stderr; and exit 1
#   need COMMAND=PACKAGE...  each command exists, else its Debian package is installed
#   once NAME FN ARG...  FN ARG... DIR fills $CACHE/NAME, once, atomically
#   apt_unpack PKG... DIR, maven_copy GROUP:ARTIFACT:VERSION[:TYPE:CLASSIFIER] DIR
#   apt_unpack_suite SUITE PKG... DIR: of another Debian release, down to its C library
#   apt_unpack_alone SUITE PKG DIR PATTERN...: of one package the files of these names, without what it depends on
#   get_python PACKAGE==VERSION... DIR: a Python of its own with packages of PyPI
#   free_port            prints a TCP port that nothing listens on

CACHE=${DAYBOOK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/daybook}
mkdir -p "$CACHE"

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
die() { say "$*"; exit 1; }

# need installs as root or through a sudo that asks for no password; anybody
# else is told the one command that an administrator has to run.
need() {
  local pair packages=() sudo=()
  for pair; do is_there "${pair%%=*}" || packages+=("${pair#*=}"); done
  [ ${#packages[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "these are missing (the names are Debian's packages): ${packages[*]}"
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || die "something is missing: run 'sudo apt-get install ${packages[*]}' and try again"
    sudo=(sudo -n)
  fi
  say "installing ${packages[*]}"
  (
    exec 8>"$CACHE/.apt.lock"; flock 8
    "${sudo[@]}" apt-get -qq update
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
      install -y --no-install-recommends "${packages[@]}" </dev/null
  ) >&2 || die "could not install ${packages[*]}"
  hash -r
}
is_there() {
  case $1 in
    venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    stdio.h) [ -e /usr/include/stdio.h ] ;;
    openssl/ssl.h) [ -e /usr/include/openssl/ssl.h ] ;;
    node.h) [ -e /usr/include/node/node.h ] ;;
    Python.h) python3 -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# FN runs in a subshell under errexit, which an enclosing "||" or "if" would turn off.
once() {
  local name=$1 home=$CACHE/$1
  shift
  [ -d "$home" ] && return
  (
    trap '[ $? = 0 ] || say "could not prepare $name in $CACHE"' EXIT
    exec 9>"$CACHE/.$name.lock"; flock 9
    [ -d "$home" ] && exit
    rm -rf "$home.part"; mkdir -p "$home.part"
    "$@" "$home.part" 9>&-
    mv "$home.part" "$home"
  )
}

# apt_unpack unpacks packages and whatever of their dependencies this machine
# lacks, without installing them: apt works on lists and an archive folder of
# its own, so an ordinary user can do it and the system stays as it was.
apt_unpack() {
  local dir=${*: -1} packages=("${@:1:$#-1}") apt=$CACHE/apt deb
  command -v apt-get >/dev/null || die "cannot get ${packages[*]} without apt-get"
  (
    exec 8>"$CACHE/.apt.lock"; flock 8
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    local options=(-qq -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt"
      -o Dir::Cache::archives="$apt/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User=
      -o Acquire::Languages=none -o APT::Install-Recommends=0)
    apt-get "${options[@]}" update &&
      apt-get "${options[@]}" --download-only --reinstall -y install "${packages[@]}" </dev/null || exit
    for deb in "$apt"/archives/*.deb; do dpkg-deb -x "$deb" "$dir" || exit; done
    rm -rf "$apt"
  ) >&2
}

# apt_unpack_suite unpacks packages of another Debian release from the mirror
# that apt uses already, with all that they depend on: apt is told that nothing
# is installed. What is in DIR then runs with its own loader and libraries.
apt_unpack_suite() {
  local suite=$1 dir=${*: -1} packages=("${@:2:$#-2}") apt=$CACHE/apt-$1 deb
  (
    apt_suite "$suite" "${packages[@]}"
    apt-get "${options[@]}" --download-only -y install "${packages[@]}" </dev/null || exit
    for deb in "$apt"/archives/*.deb; do dpkg-deb -x "$deb" "$dir" || exit; done
    rm -rf "$apt" "$dir/usr/share/doc" "$dir/usr/share/man" "$dir/usr/share/locale"
  ) >&2
}
apt_unpack_alone() {
  local suite=$1 package=$2 dir=$3 apt=$CACHE/apt-$1
  (
    apt_suite "$suite" "$package"
    cd "$apt/archives"
    apt-get "${options[@]}" download "$package" || exit
    dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x -C "$dir" --wildcards "${@:4}" || exit
    rm -rf "$apt"
  ) >&2
}
# apt_suite has apt know the packages of a release and nothing else; it sets
# options for apt-get, and holds a lock as long as its shell lives.
apt_suite() { # SUITE PKG...
  local suite=$1 mirror key
  shift
  command -v apt-get >/dev/null || die "cannot get $* without apt-get"
  mirror=$(apt-get update --print-uris -o Debug::NoLocking=1 2>/dev/null | sed -n "s#^'\(.*/debian\)/dists/.*#\1#p" | sed -n 1p)
  [ -n "$mirror" ] || die "cannot get $* of Debian $suite: apt on this machine knows no Debian mirror"
  for key in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do [ ! -e "$key" ] || break; done
  exec 8>"$CACHE/.apt-$suite.lock"; flock 8
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  : >"$apt/status"
  echo "deb [signed-by=$key] $mirror $suite main" >"$apt/sources.list"
  options=(-qq -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State="$apt"
    -o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt"
    -o Dir::Cache::archives="$apt/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User=
    -o Acquire::Languages=none -o APT::Install-Recommends=0)
  apt-get "${options[@]}" update || exit
}

maven_copy() {
  need mvn=maven
  mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
    -Dartifact="$1" -DoutputDirectory="$2" </dev/null >&2
}

# pip writes no path of the folder into what runs here, so it may move.
get_python() { # PACKAGE==VERSION... DIR
  local dir=${*: -1}
  need python3=python3 venv=python3-venv
  python3 -m venv "$dir" >&2
  "$dir/bin/python" -m pip -q --disable-pip-version-check install "${@:1:$#-1}" </dev/null >&2
}

# library_path prints the folders of an unpacked tree that hold shared
# libraries, as LD_LIBRARY_PATH wants them.
library_path() { find "$1" -name '*.so*' -printf '%h\n' | sort -u | grep -v /plugin | paste -sd:; }

# free_port prints a port for a server: none of those that Daybook gets in the tests, which is down
# for moments and needs its own again.
free_port() {
  local port
  while port=$((20000 + RANDOM % 6000)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
