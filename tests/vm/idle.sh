#!/bin/sh
# In the guest: idle.sh CONNECTIONS ROUNDS, with as many descriptors as it
# takes, which is more than a system starts with and few machines can allow.
set -eu

# Beside the server's descriptors there are as many of the clients.
descriptors=$(($1 + 1000))
echo "$descriptors" >/proc/sys/fs/nr_open
echo "$((2 * descriptors + 10000))" >/proc/sys/fs/file-max
exec prlimit --nofile="$descriptors" \
	"$BUILD/bench_idle" "$BUILD" "$1" "$2"
