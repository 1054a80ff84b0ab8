#!/bin/sh
# Records an access log from a real nginx on loopback that serves a real file tree.
#
#   datasets/access-log/record.sh OUT.log.gz [SECONDS] [TREE]        e.g.  record.sh /tmp/mine.log.gz 60 /usr/share/doc
#
# Every second a number of clients (addresses 127.0.1.1 to 127.0.1.40, a few of them busy, most not) fetch files that are drawn by popularity; the number
# of requests swings slowly and has a burst every 50 seconds, as a day has in short. Sizes are those of the tree. Needs nginx and curl; nothing listens beyond
# loopback, and everything is stopped and removed at the end.
set -eu
out=${1:?usage: record.sh OUT.log.gz [SECONDS] [TREE]} seconds=${2:-120} tree=${3:-/usr/share/doc}
command -v nginx >/dev/null || { echo "record.sh: nginx is missing (apt-get install --no-install-recommends nginx-light)" >&2; exit 2; }
command -v curl >/dev/null || { echo "record.sh: curl is missing" >&2; exit 2; }
work=$(mktemp -d)
chmod 755 "$work"
stop() {
  [ -e "$work/pid" ] && kill "$(cat "$work/pid")" 2>/dev/null
  rm -rf "$work"
}
trap stop EXIT INT TERM
port=18089
cat >"$work/nginx.conf" <<EOF
pid $work/pid;
error_log $work/error.log;
events { worker_connections 512; }
http {
  access_log $work/access.log combined;
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  server { listen 127.0.0.1:$port; root $tree; }
}
EOF
nginx -c "$work/nginx.conf"

# Files in a fixed random order; the popularity of the k-th is about 1/k. One in two hundred requests asks for what is not there.
(cd "$tree" && find . -follow -type f -size -4096k 2>/dev/null | cut -c2- | grep -v '[ %?#\\"]' | sort) |
  awk 'BEGIN { srand(7) } { print rand() "\t" $0 }' | sort -n | cut -f2 >"$work/files"
awk -v n="$seconds" -v port="$port" -v dir="$work" '
  { file[++files] = $0 }
  END {
    srand(11); pi = atan2(0, -1)
    for (s = 0; s < n; s++) {
      rate = 110 + 60 * sin(2 * pi * s / n) + 25 * rand()
      if (s % 50 > 43) rate *= 2.5                        # a burst now and then
      for (i = 0; i < rate; i++) {
        k = int(exp(rand() * log(files)))                 # density 1/k
        c = int(exp(rand() * log(40)))                    # clients too
        name = rand() < 0.005 ? "/no/such/file" : file[k]
        printf "url = \"http://127.0.0.1:%d%s\"\noutput = \"/dev/null\"\n", port, name >> (dir "/second." s "." c)
      }
    }
  }' "$work/files"
s=0
while [ $s -lt "$seconds" ]; do
  for list in "$work"/second."$s".*; do
    curl -s --interface "127.0.1.${list##*.}" --parallel --parallel-max 4 -K "$list" 2>/dev/null || true
  done &
  sleep 1
  s=$((s + 1))
done
wait
gzip -9n <"$work/access.log" >"$out.new"
mv "$out.new" "$out"
echo "$(gzip -dc "$out" | wc -l) requests in $seconds s from $(gzip -dc "$out" | cut -d' ' -f1 | sort -u | wc -l) clients: $out"
