#!/bin/sh
# deb.sh DIRECTORY: install the packages that are there, run what is in them,
# and remove them. All of it happens in a copy of this system that only looks
# like one: an overlay, in a mount namespace of its own. Needs root.
set -eu

fail() {
	echo "deb.sh: $*" >&2
	exit 1
}

if [ "${1-}" != --inside ]; then
	[ "$(id -u)" = 0 ] || fail "needs root, to install packages"
	room=$(mktemp -d)
	status=0
	unshare --mount --pid --fork "$0" --inside "$(realpath "$1")" \
	    "$room" || status=$?
	# What was mounted there went with the namespace.
	rmdir "$room"
	exit "$status"
fi
packages=$2
room=$3
root=$room/root

mount -t tmpfs deb.sh "$room"
mkdir "$room/upper" "$room/work" "$root"
mount -t overlay deb.sh "$root" \
    -o "lowerdir=/,upperdir=$room/upper,workdir=$room/work"
mount -t proc deb.sh "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs deb.sh "$root/run"
mount -t tmpfs deb.sh "$root/tmp"
mkdir "$root/packages"
cp "$packages"/*.deb "$root/packages"
# The service manager of the machine must not hear of these.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"

inside() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
	    chroot "$root" /bin/sh -euc "cd /tmp; $1"
}

ours() {
	(cd "$root" && find etc lib usr var/lib -path '*uxecho*' -o \
	    -path '*uxsrv*' | sort)
}

[ -z "$(ours)" ] || fail "there already: $(ours)"

echo "== install"
inside 'dpkg --install /packages/*.deb'
inside 'dpkg --verify uxecho libuxsrv0 libuxsrv-dev'

echo "== run"
# As the user of the units.
inside '
getent passwd uxecho
mkfifo ready
setpriv --reuid=uxecho --regid=uxecho --clear-groups \
    uxecho --ready-fd 9 --allow root stream:/tmp/uxecho.sock 9>ready &
read -r line <ready
uxping -c 2 --expect-user uxecho /tmp/uxecho.sock
kill $!
wait $!'
# A program of somebody who has only what is packaged.
cat >"$root/tmp/size.c" <<'END'
#include <stdio.h>
#include <uxsrv/uxsrv.h>

int
main(void)
{
	char text[UXS_UNITS_TEXT_MAX];

	return puts(uxs_size_print(65536, text)) < 0;
}
END
# shellcheck disable=SC2016 # for the shell inside
inside '
cc -o size size.c $(pkg-config --cflags --libs uxsrv)
[ "$(./size)" = 64k ]
ldd ./size | grep libuxsrv.so.0'
for page in man1/uxping.1 man7/uxsrv.7 man8/uxecho.8; do
	[ -s "$root/usr/share/man/$page.gz" ] || fail "no $page"
done

echo "== remove"
names=$(for p in "$packages"/*.deb; do dpkg-deb --field "$p" Package; done)
inside "dpkg --purge $(echo "$names" | tr '\n' ' ')"
[ -z "$(ours)" ] || fail "left behind: $(ours)"
echo "deb.sh: installed, run and removed"
