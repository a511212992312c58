#!/bin/sh
# unit_syscalls.sh UNIT TRACE: the system calls in a trace of strace -f that
# the filters of the unit do not let through, one a line.
set -eu

systemd-analyze syscall-filter 2>/dev/null | awk -v "filters=$(
	sed -n 's/^SystemCallFilter=//p' "$1" | tr '\n' ';'
)" '
function put(name, is_let,  i, n, names) {
	if (name !~ /^@/) {
		let[name] = is_let
		return
	}
	n = split(members[name], names)
	for (i = 1; i <= n; i++)
		put(names[i], is_let)
}

function read_filters(  i, j, n, m, lines, names, is_let) {
	n = split(filters, lines, ";")
	for (i = 1; i <= n; i++) {
		is_let = lines[i] !~ /^~/
		sub(/^~/, "", lines[i])
		m = split(lines[i], names)
		for (j = 1; j <= m; j++)
			put(names[j], is_let)
	}
}

is_sets && /^@/ { set = $1; next }
is_sets { if ($1 !~ /^#/) members[set] = members[set] " " $1; next }
!is_read++ { read_filters() }
{
	sub(/\(.*/, "", $2)
	if ($2 ~ /^[a-z0-9_]+$/ && !let[$2] && !seen[$2]++)
		print $2
}' is_sets=1 - is_sets=0 "$2"
