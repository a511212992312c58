#!/bin/sh
# What a newcomer sees first: serve on a private path, ping the stream and the
# datagram socket, stop, and look at what is left.
set -eu

build=${BUILD:-build}
directory=$(mktemp -d)
path=$directory/uxecho.sock
server=

# shellcheck disable=SC2317 # called by trap
clean_up() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$directory"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

show() {
	printf '\n$ %s\n' "$*"
	program=$1
	shift
	"$build/$program" "$@"
}

# The server opens its end of the fifo first, and writes when it is ready.
mkfifo "$directory/ready"
printf '$ uxecho %s &\n' "$path"
"$build/uxecho" --ready-fd 3 "$path" 3>"$directory/ready" &
server=$!
read -r _ <"$directory/ready"
rm "$directory/ready"

show uxping -c 3 -i 0.2 "$path"
show uxping -c 3 -i 0.2 -t dgram "$path"

printf '\n$ kill %s\n' "$server"
kill "$server"
wait "$server"
server=
left=$(ls -A "$directory")
[ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
printf '\nThe server has stopped and left nothing behind.\n'
