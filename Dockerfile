# The images of our own processes, one target each: gateway, runner, ui; and mlflow and redis on the same base.
#
# BASE_IMAGE is any Debian 13 image with Python 3.13; scripts/base-image prints one that this machine can have.
# Secrets of a build, never kept: `ca` (certificates for the package index), `pip_conf` (which index to ask).
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS base
# The folders are made here so that a new named volume takes their owner, whichever service mounts it first.
RUN groupadd --gid 10001 app \
 && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin app \
 && install -d -o 10001 -g 10001 /app /data /mlflow \
      /shared /shared/submissions /shared/logs /shared/jobs /shared/artifacts /shared/benchmarks /shared/weights \
      /shared/labels
ENV LANG=C.UTF-8 PATH=/opt/app/bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/app PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

# No service changes its user: no-new-privileges forbids it, and here there is nothing to try it with.
FROM base AS service
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +

FROM base AS packages
RUN python -m venv --without-pip /opt/app
# Installs a lock file into /opt/app. pip itself stays outside: a running image has no installer in its environment.
COPY --chmod=755 <<'SCRIPT' /usr/local/bin/install-lock
#!/bin/sh
set -eu
if [ -s /run/secrets/pip_conf ]; then export PIP_CONFIG_FILE=/run/secrets/pip_conf; fi
if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi
PATH=/usr/local/bin:/usr/bin:/bin python -m pip --python /opt/app/bin/python install --require-hashes --no-deps --only-binary :all: \
  --disable-pip-version-check --progress-bar off --root-user-action ignore -r "$1"
SCRIPT

FROM packages AS gateway-packages
RUN --mount=type=bind,source=locks/gateway.txt,target=/tmp/lock.txt --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=ca --mount=type=secret,id=pip_conf install-lock /tmp/lock.txt

FROM packages AS runner-packages
RUN --mount=type=bind,source=locks/runner.txt,target=/tmp/lock.txt --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=ca --mount=type=secret,id=pip_conf install-lock /tmp/lock.txt

FROM packages AS ui-packages
RUN --mount=type=bind,source=locks/ui.txt,target=/tmp/lock.txt --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=ca --mount=type=secret,id=pip_conf install-lock /tmp/lock.txt

FROM packages AS mlflow-packages
RUN --mount=type=bind,source=locks/mlflow.txt,target=/tmp/lock.txt --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=ca --mount=type=secret,id=pip_conf install-lock /tmp/lock.txt

FROM service AS gateway
COPY --from=gateway-packages /opt/app /opt/app
COPY core core
COPY gateway gateway
COPY wire wire
RUN python -m compileall -q .
USER 10001:10001
EXPOSE 8010
# Uploads are spooled beside where they will lie: /tmp is memory.
ENV TMPDIR=/shared/submissions/.incoming
# http: bounds a request's head in time and size (gateway/middleware/bounded_head.py). No web sockets, so no second parser. The
# app writes its own access log, reads X-Forwarded-For itself (TRUSTED_PROXIES alone says whose counts), and bounds the
# requests in hand with an answer in its own shape, which --limit-concurrency has not. keep-alive: longer than a watching page's 5 s between two questions.
CMD ["sh", "-c", "mkdir -p $TMPDIR && exec uvicorn gateway.app:build --factory --host 0.0.0.0 --port 8010 --http gateway.middleware.bounded_head:BoundedHeadProtocol --ws none --no-proxy-headers --no-access-log --no-server-header --timeout-keep-alive 15 --backlog 1024 --timeout-graceful-shutdown 20"]

FROM service AS runner
COPY --from=runner-packages /opt/app /opt/app
COPY core core
COPY runner runner
COPY scorer scorer
COPY seccomp.json seccomp.json
RUN python -m compileall -q . \
 && printf '#!/bin/sh\nexec python -m runner.canary.command "$@"\n' > /usr/local/bin/leadersboard-canary \
 && chmod 755 /usr/local/bin/leadersboard-canary
USER 10001:10001
ENV RUNNER_PROCESSES=1 WORKER_SHUTDOWN_SECONDS=20
# One job per process, so that a submission's container has one watcher and a crash takes one job's watcher with it.
CMD ["sh", "-c", "exec dramatiq runner.main:build --processes $RUNNER_PROCESSES --threads 1 --worker-shutdown-timeout ${WORKER_SHUTDOWN_SECONDS}000"]

FROM service AS ui
COPY --from=ui-packages /opt/app /opt/app
COPY client client
COPY ui ui
COPY wire wire
RUN python -m compileall -q . \
 && printf '#!/bin/sh\nexec python -m client "$@"\n' > /usr/local/bin/leadersboard \
 && chmod 755 /usr/local/bin/leadersboard
USER 10001:10001
EXPOSE 8501 5010
ENV LISTEN_ON=0.0.0.0
CMD ["python", "-m", "ui.serve"]

FROM service AS mlflow
COPY --from=mlflow-packages /opt/app /opt/app
USER 10001:10001
EXPOSE 5000
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000", "--workers", "1"]

FROM service AS redis
# The package would start a server of its own while it is installed; exit 101 forbids that.
RUN printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
 && apt-get update -q && apt-get install -y -q --no-install-recommends redis-server \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
# The password comes from the environment into a file of its own memory: an argument would be in every list of processes.
COPY --chmod=755 <<'SCRIPT' /usr/local/bin/with-password
#!/bin/sh
set -eu
if [ "${1:-}" != redis-server ]; then exec "$@"; fi
if [ -z "${REDIS_PASSWORD:-}" ]; then
  echo "REDIS_PASSWORD is not set, so Redis does not start. scripts/up writes a random one into .env." >&2
  exit 1
fi
case "$REDIS_PASSWORD" in
  *[!A-Za-z0-9._~+/=-]*) echo "REDIS_PASSWORD may have letters, digits and . _ ~ + / = - only." >&2; exit 1 ;;
esac
umask 077
echo "requirepass $REDIS_PASSWORD" > /tmp/password.conf
unset REDIS_PASSWORD REDISCLI_AUTH
shift
exec redis-server /tmp/password.conf "$@"
SCRIPT
WORKDIR /data
USER 10001:10001
EXPOSE 6379
ENTRYPOINT ["with-password"]
CMD ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--dir", "/data"]
