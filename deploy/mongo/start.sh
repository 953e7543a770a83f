#!/bin/bash
# Runs mongod as a replica set of one node that asks for passwords. replica-set.js, once per start, makes it
# the primary and gives it its users; the container counts as healthy from then on.
set -euo pipefail
umask 077

# Members prove themselves to each other with it. There is one member, so each start makes its own.
head -c 48 /dev/urandom | base64 >/tmp/key

prepare() {
  until mongosh --quiet --norc 'mongodb://127.0.0.1:27017/?directConnection=true' /millrace/replica-set.js; do
    sleep 1
  done
  touch /tmp/is-primary
}
(prepare &) # an orphan at once, so that it ends as a child of init and not of mongod

# Our transactions last milliseconds; that of a process that was killed holds its documents until it runs out.
exec mongod \
  --replSet millrace \
  --keyFile /tmp/key \
  --bind_ip_all \
  --nounixsocket \
  --quiet \
  --wiredTigerCacheSizeGB "$MONGO_CACHE_GB" \
  --setParameter transactionLifetimeLimitSeconds=10 \
  --setParameter shutdownTimeoutMillisForSignaledShutdown=100 # there is no other node to hand over to
