#!/bin/sh
# Build the tree twice, in folders, at times, with umasks, locales and numbers
# of jobs that differ, and compare all that would be installed, byte for byte.
set -eu
top=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one=$work/one two=$work/another/folder

# copy FOLDER
copy() {
	mkdir -p "$1"
	(cd "$top" && tar -cf - Makefile include src man) | tar -xf - -C "$1"
}

# build FOLDER LOCALE ZONE JOBS: below FOLDER/stage is what it installs
build() {
	cd "$1"
	set -- "$PWD/stage" env -u MAKEFLAGS -u MAKELEVEL \
	    LC_ALL="$2" TZ="$3" make -s "-j$4"
	stage=$1
	shift
	"$@" all
	"$@" install prefix=/usr DESTDIR="$stage"
}

copy "$one"
copy "$two"
(build "$one" C UTC 1)
(umask 077 && build "$two" C.UTF-8 Asia/Tokyo 2)

cd "$one/stage"
n=$(find . -type f | wc -l)
[ "$n" -gt 20 ] || { echo "only $n files are installed" >&2; exit 1; }
diff -r "$one/stage" "$two/stage"
echo "$n files are equal"
